// Loaded before the hub: its time of day goes FAST_CLOCK_RATE times as fast as the real one since FAST_CLOCK_FROM, in
// milliseconds since 1970, in all processes alike. Timers go by another clock, which stays as it is.
const Real = Date;
const rate = Number(process.env.FAST_CLOCK_RATE);
const from = Number(process.env.FAST_CLOCK_FROM);
const now = () => Math.floor(from + (Real.now() - from) * rate);

globalThis.Date = class Date extends Real {
  constructor(...values) {
    if (values.length === 0) super(now());
    else super(...values);
  }

  static now() {
    return now();
  }
};
