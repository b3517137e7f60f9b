// exp and log from additions, multiplications and divisions alone, so that simulated data has the same bits on every
// machine: IEEE 754 fixes the result of those operations, while the last bit of Math.exp and Math.log is the engine's.

const LN2 = Math.LN2;
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const MAX_POWER = 1023;

const POWERS_OF_TWO = powersOfTwo();

function powersOfTwo(): Float64Array {
  const powers = new Float64Array(2 * MAX_POWER + 1);
  let up = 1;
  let down = 1;
  for (let k = 0; k <= MAX_POWER; k++) {
    powers[MAX_POWER + k] = up;
    powers[MAX_POWER - k] = down;
    up *= 2;
    down /= 2;
  }
  return powers;
}

/** e^x for x in [−700, 700], relative error below 1e-15. Taylor series after removing the multiple of ln 2. */
export function exactExp(x: number): number {
  const k = Math.floor(x / LN2 + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  for (let term = 13; term >= 1; term--) sum = 1 + (sum * r) / term;
  return sum * POWERS_OF_TWO[k + MAX_POWER]!;
}

/** Natural logarithm of x > 0 in [2^−1000, 2^1000], error below 1e-15 of the larger of 1 and |ln x|. */
export function exactLog(x: number): number {
  let exponent = 0;
  let mantissa = x;
  while (mantissa >= Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2;
    exponent--;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let sum = 0;
  for (let odd = 25; odd >= 1; odd -= 2) sum = sum * square + 1 / odd;
  return exponent * LN2 + 2 * s * sum;
}
