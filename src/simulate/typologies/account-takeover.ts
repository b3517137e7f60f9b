// F02 SIM swap, F03 phishing and account takeover, F04 stolen phone: someone else empties a customer's account.
//
// Recipes and their public sources: docs/simulator.md.
import type { Recipe } from '../campaigns.ts';
import { carrierAddress } from '../network.ts';
import { business, KIND, type Label } from '../plan.ts';
import { drawChance, drawInteger, drawUniform } from '../sampling.ts';
import { DAY, type Handset, HOUR, MINUTE, SECOND, type Stage } from '../stage.ts';

interface Takeover {
  readonly victim: number;
  readonly mules: readonly number[];
  readonly handset: Partial<Handset>;
  readonly label: Label;
}

const OTP = { authFactors: ['password', 'otp-sms'] as ('password' | 'otp-sms')[] };

/** Sends the balance away in pieces, to mules who pass it on. @returns rows put and the last moment */
function empty(stage: Stage, takeover: Takeover, fromMs: number, transfers: number): { rows: number; lastMs: number } {
  const { prng } = stage;
  let timeMs = fromMs;
  for (let n = 0; n < transfers; n++) {
    timeMs = stage.after(timeMs, 30 * SECOND, 12 * MINUTE);
    const mule = takeover.mules[prng.nextBelow(takeover.mules.length)]!;
    const byWallet = drawChance(prng, 0.4);
    stage.put({
      timeMs,
      kind: byWallet ? KIND.walletToPerson : KIND.transfer,
      payer: takeover.victim,
      payee: mule,
      amountMinor: byWallet ? drawInteger(prng, 30, 50) * 1000 : drawInteger(prng, 30, 200) * 1000,
      balanceShare: n === transfers - 1 ? drawUniform(prng, 0.8, 0.98) : drawUniform(prng, 0.25, 0.6),
      label: takeover.label,
      fields: { ...takeover.handset, ...OTP },
      onDone: (sent) => stage.forward(mule, sent, drawInteger(prng, 1, 3)),
    });
  }
  return { rows: transfers, lastMs: timeMs };
}

const simSwap: Recipe = {
  typology: 'F02',
  share: 5,
  rows: [9, 18],
  imitations: 0.3,
  launch(stage, rows) {
    const { prng, world } = stage;
    const victim = stage.victim(150_000);
    let timeMs = stage.between(7, 22);
    const label = stage.label('F02', timeMs, 1 * DAY);
    const handset = stage.handset();
    const mules = Array.from({ length: drawInteger(prng, 1, 3) }, () => stage.mule(victim));
    const step = (kind: (typeof KIND)[keyof typeof KIND], low: number, high: number, payee?: number) => {
      timeMs = stage.after(timeMs, low, high);
      const factors = kind === KIND.balanceLookup ? {} : OTP;
      const own = kind === KIND.simChange ? {} : { fields: { ...handset, ...factors } };
      stage.put({ timeMs, kind, payer: victim, label, ...own, ...(payee === undefined ? {} : { payee }) });
    };
    step(KIND.simChange, 0, MINUTE);
    step(KIND.deviceEnrolment, 5 * MINUTE, 60 * MINUTE);
    step(KIND.passwordReset, MINUTE, 10 * MINUTE);
    step(KIND.limitChange, MINUTE, 5 * MINUTE);
    let used = 4;
    if (drawChance(prng, 0.6)) {
      step(KIND.balanceLookup, 10 * SECOND, MINUTE);
      used++;
    }
    step(KIND.payeeAdded, 20 * SECOND, 3 * MINUTE, mules[0]);
    used++;
    if (drawChance(prng, 0.35)) {
      timeMs = stage.after(timeMs, MINUTE, 6 * MINUTE);
      const amountMinor = Math.round((world.population.income[victim]! * drawUniform(prng, 1, 3)) / 100) * 10_000;
      const payer = business(world.commerce.lender);
      stage.put({
        timeMs,
        kind: KIND.loanDisbursement,
        payer,
        payee: victim,
        amountMinor,
        label,
        fields: { ...handset },
      });
      used++;
    }
    const transfers = Math.min(10, Math.max(3, rows - used));
    return used + empty(stage, { victim, mules, handset, label }, timeMs, transfers).rows;
  },
  imitate(stage) {
    // A real new phone: chip, device, then small payments to people paid before.
    const { prng, world } = stage;
    const person = stage.victim();
    let timeMs = stage.between(10, 19);
    const isHardNegative = true;
    if (drawChance(prng, 0.6)) stage.put({ timeMs, kind: KIND.simChange, payer: person, isHardNegative });
    timeMs = stage.after(timeMs, 10 * MINUTE, 3 * HOUR);
    const deviceId = stage.newDevice();
    const onDone = () => {
      world.population.device[person] = deviceId;
    };
    stage.put({ timeMs, kind: KIND.deviceEnrolment, payer: person, isHardNegative, fields: { deviceId }, onDone });
    if (drawChance(prng, 0.4)) {
      timeMs = stage.after(timeMs, MINUTE, 9 * MINUTE);
      stage.put({ timeMs, kind: KIND.passwordReset, payer: person, isHardNegative, fields: { deviceId } });
    }
    for (let n = drawInteger(prng, 2, 3); n > 0; n--) {
      timeMs = stage.after(timeMs, 5 * MINUTE, 3 * HOUR);
      const payee = world.population.contacts[person * 10 + n]!;
      const amountMinor = drawInteger(prng, 1, 12) * 500;
      stage.put({
        timeMs,
        kind: KIND.walletToPerson,
        payer: person,
        payee,
        amountMinor,
        isHardNegative,
        fields: { deviceId },
      });
    }
  },
};

const phishing: Recipe = {
  typology: 'F03',
  share: 14,
  rows: [14, 240],
  imitations: 0.12,
  launch(stage, rows) {
    const { prng } = stage;
    // Shared infrastructure: two or three devices and neighbouring addresses for all victims of the campaign.
    const devices = Array.from({ length: drawInteger(prng, 2, 3) }, () => stage.handset());
    const network = devices[0]!.ipAddress.split('.').slice(0, 3).join('.');
    const mules = Array.from({ length: drawInteger(prng, 2, 5) }, () => stage.mule());
    let used = 0;
    while (used < rows - 4) {
      const victim = stage.victim(50_000);
      const handset = {
        ...devices[prng.nextBelow(devices.length)]!,
        ipAddress: `${network}.${drawInteger(prng, 1, 254)}`,
      };
      let timeMs = stage.between(8, 23.5);
      const label = stage.label('F03', timeMs);
      const fields = { ...handset, ...OTP };
      for (let n = prng.nextBelow(3); n > 0; n--) {
        stage.put({ timeMs, kind: KIND.loginFailed, payer: victim, label, fields: { ...handset } });
        timeMs = stage.after(timeMs, 10 * SECOND, MINUTE);
        used++;
      }
      stage.put({ timeMs, kind: KIND.deviceEnrolment, payer: victim, label, fields });
      timeMs = stage.after(timeMs, 20 * SECOND, 4 * MINUTE);
      stage.put({ timeMs, kind: KIND.balanceLookup, payer: victim, label, fields: handset });
      timeMs = stage.after(timeMs, 20 * SECOND, 3 * MINUTE);
      const mule = mules[prng.nextBelow(mules.length)]!;
      stage.put({ timeMs, kind: KIND.payeeAdded, payer: victim, payee: mule, label, fields });
      timeMs = stage.after(timeMs, 20 * SECOND, 3 * MINUTE);
      stage.put({
        timeMs,
        kind: KIND.transfer,
        payer: victim,
        payee: mule,
        balanceShare: drawUniform(prng, 0.6, 0.98),
        label,
        fields,
        onDone: (sent) => stage.forward(mule, sent, drawInteger(prng, 1, 3)),
      });
      used += 4;
    }
    return used;
  },
  imitate(stage) {
    // A shared family phone, or a VPN: another device or network, the usual payees.
    const { prng, world } = stage;
    const person = stage.victim();
    const relative = stage.near(person);
    const fields = drawChance(prng, 0.5)
      ? { deviceId: world.population.device[relative]! }
      : { ipAddress: carrierAddress(prng.nextUint32() | 0, stage.day) };
    let timeMs = stage.between(8, 22);
    for (let n = drawInteger(prng, 1, 3); n > 0; n--) {
      const payee = world.population.contacts[person * 10 + n]!;
      const amountMinor = drawInteger(prng, 2, 40) * 500;
      stage.put({ timeMs, kind: KIND.walletToPerson, payer: person, payee, amountMinor, isHardNegative: true, fields });
      timeMs = stage.after(timeMs, 5 * MINUTE, 2 * HOUR);
    }
  },
};

const stolenPhone: Recipe = {
  typology: 'F04',
  share: 9,
  rows: [7, 16],
  imitations: 0.3,
  launch(stage, rows) {
    const { prng, world } = stage;
    const victim = stage.victim(120_000);
    // Evenings of the weekend mostly: the case waits for the next Friday or Saturday two times out of three.
    const wait = drawChance(prng, 0.67) ? (((4 - ((stage.day + 3) % 7) + 7) % 7) + prng.nextBelow(2)) * DAY : 0;
    const stolenMs = stage.between(18, 23.9) + wait;
    const label: Label = { typology: 'F04', reportMs: stage.after(stolenMs, 0.5 * HOUR, 12 * HOUR) };
    let timeMs = stage.after(stolenMs, 10 * MINUTE, 120 * MINUTE);
    // The victim's own phone, in another district.
    const place = stage.handset(world.population.place[stage.near(victim)]!);
    const fields = {
      ubigeo: place.ubigeo,
      latitude: place.latitude,
      longitude: place.longitude,
      ipAddress: place.ipAddress,
      deviceId: world.population.device[victim]!,
    };
    const mules = Array.from({ length: drawInteger(prng, 1, 2) }, () => stage.mule());
    const wrong = Math.min(drawInteger(prng, 2, 6), Math.max(2, rows - 5));
    for (let n = 0; n < wrong; n++) {
      stage.put({ timeMs, kind: KIND.loginFailed, payer: victim, label, fields });
      timeMs = stage.after(timeMs, 8 * SECOND, 50 * SECOND);
    }
    // 500, 500, 500, 500 is the daily cap.
    const byWallet = drawInteger(prng, 3, 4);
    for (let n = 0; n < byWallet; n++) {
      const mule = mules[prng.nextBelow(mules.length)]!;
      const onDone = (sent: Parameters<Stage['forward']>[1]) => stage.forward(mule, sent, drawInteger(prng, 1, 2));
      stage.put({
        timeMs,
        kind: KIND.walletToPerson,
        payer: victim,
        payee: mule,
        amountMinor: 50_000,
        label,
        fields,
        onDone,
      });
      timeMs = stage.after(timeMs, 20 * SECOND, 3 * MINUTE);
    }
    let used = wrong + byWallet;
    if (drawChance(prng, 0.6)) used += empty(stage, { victim, mules, handset: fields, label }, timeMs, 1).rows;
    if (drawChance(prng, 0.5)) {
      timeMs = stage.after(timeMs, 3 * MINUTE, 30 * MINUTE);
      const terminal = stage.agentNear(victim);
      stage.put({
        timeMs,
        kind: KIND.agentWithdrawal,
        payer: victim,
        balanceShare: 0.9,
        amountMinor: 50_000,
        terminal,
        label,
      });
      used++;
    }
    return used;
  },
  imitate(stage) {
    // Money collected for a wedding, a debt paid in pieces of the wallet's maximum.
    const { prng } = stage;
    const payer = stage.victim(220_000);
    const payee = stage.near(payer);
    let timeMs = stage.between(18, 22);
    for (let n = drawInteger(prng, 2, 4); n > 0; n--) {
      stage.put({ timeMs, kind: KIND.walletToPerson, payer, payee, amountMinor: 50_000, isHardNegative: true });
      timeMs = stage.after(timeMs, 20 * SECOND, 2 * MINUTE);
    }
  },
};

export const ACCOUNT_TAKEOVER: readonly Recipe[] = [simSwap, phishing, stolenPhone];
