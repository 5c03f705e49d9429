// Loaded before the hub: its clock goes forward by an hour with SIGUSR2, back to an hour behind with the next one, and is
// right again with the third. Only the time of day moves, as when somebody sets it; timers go by another clock.
const Real = Date;
const HOUR = 3_600_000;
const OFFSETS = [HOUR, -HOUR, 0];
let moves = 0;
let offset = 0;

globalThis.Date = class Date extends Real {
  constructor(...values) {
    if (values.length === 0) super(Real.now() + offset);
    else super(...values);
  }

  static now() {
    return Real.now() + offset;
  }
};

process.on('SIGUSR2', () => {
  offset = OFFSETS[moves % OFFSETS.length];
  moves += 1;
  process.stdout.write(`{"msg":"clock moved","offset":${offset}}\n`);
});
