import { refuseField } from '../../calls/incoming-call.js';

/** Reads numbers of a request; what is null counts as not given. Throws `validation_failed`, naming the parameter. */
export class ParameterReader {
  constructor(private readonly parameters: Readonly<Record<string, unknown>>) {}

  number(name: string): number | undefined {
    const value = this.parameters[name];
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'number') throw refuseField(name, `${name} must be a number.`);
    return value;
  }

  integer(name: string): number | undefined {
    const value = this.number(name);
    if (value !== undefined && !Number.isSafeInteger(value)) throw refuseField(name, `${name} must be a whole number.`);
    return value;
  }
}
