// The look of each kind of event: operation, rail, channel, place, device, factors, numbers.
//
// One draft is filled again and again; the renderer moves the money and copies the draft into a transaction.
import { createTransaction, type Transaction } from '../domain/transaction.ts';
import type { Prng } from '../lib/prng.ts';
import type { Business } from './commerce.ts';
import { PERSON_CONCEPTS } from './names.ts';
import { PLACES } from './places.ts';
import { isBusiness, KIND, type Kind, type Party } from './plan.ts';
import { mobileAddress, WALLET } from './population.ts';
import { drawChance, drawFrom } from './sampling.ts';
import type { World } from './world.ts';

export type Draft = { -readonly [K in keyof Transaction]: Transaction[K] };

const CODE_ABOVE_MINOR = 50_000;
const CONTACTLESS_BELOW_MINOR = 8_000;

const NO_FACTORS: Transaction['authFactors'] = [];
const BIOMETRIC: Transaction['authFactors'] = ['biometric'];
const PASSWORD: Transaction['authFactors'] = ['password'];
const BIOMETRIC_CODE: Transaction['authFactors'] = ['biometric', 'otp-sms'];
const PASSWORD_TOKEN: Transaction['authFactors'] = ['password', 'token'];
const PIN: Transaction['authFactors'] = ['pin'];
const CVV: Transaction['authFactors'] = ['cvv'];
const CVV_SECURE: Transaction['authFactors'] = ['cvv', 'three-ds'];
const SIGNATURE: Transaction['authFactors'] = ['signature'];

const ADDRESS_POOL = Array.from({ length: 8192 }, (_, n) => mobileAddress(Math.imul(n + 1, 0x9e3779b1) >>> 8));

function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x27d4eb2f, 0x85ebca6b) ^ Math.imul(b + 1, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}

/** The address that a carrier gives to a phone on a day. */
export function carrierAddress(key: number, day: number): string {
  return ADDRESS_POOL[mix(key, day) & 8191]!;
}

const round4 = (degrees: number): number => Math.round(degrees * 10_000) / 10_000;

export class Dresser {
  readonly draft: Draft = createTransaction({ id: '-', eventTimeMs: 0, amountMinor: 0, currency: 'PEN' });
  readonly #world: World;
  #prng: Prng;
  #day = 0;
  #walletNumber = 104_000_000;
  #cardNumber = 603_100_000_000;
  #transferNumber = 20_260_000_000_000;

  constructor(world: World) {
    this.#world = world;
    this.#prng = world.root;
  }

  startDay(day: number, prng: Prng): void {
    this.#day = day;
    this.#prng = prng;
  }

  reset(timeMs: number, amountMinor: number): void {
    const draft = this.draft;
    draft.eventTimeMs = timeMs;
    draft.ingestTimeMs = timeMs;
    draft.amountMinor = amountMinor;
    draft.currency = 'PEN';
    draft.operation = 'transfer';
    draft.rail = null;
    draft.channel = null;
    draft.cardId = null;
    draft.deviceId = null;
    draft.ipAddress = null;
    draft.terminalId = null;
    draft.merchantId = null;
    draft.mcc = null;
    draft.entryMode = null;
    draft.ubigeo = null;
    draft.latitude = null;
    draft.longitude = null;
    draft.country = 'PE';
    draft.concept = null;
    draft.authFactors = NO_FACTORS;
    draft.status = 'approved';
    draft.responseCode = '00';
    draft.externalId = null;
    draft.balanceAfterMinor = null;
    draft.isFraud = false;
    draft.typology = null;
    draft.labelTimeMs = null;
  }

  setParties(payer: Party, payee: Party): void {
    const draft = this.draft;
    const { population, commerce } = this.#world;
    if (payer >= 0) {
      draft.payerId = population.id[payer]!;
      draft.payerName = population.name[payer]!;
      draft.payerDocument = population.document[payer]!;
      draft.payerAccount = population.account[payer]!;
    } else {
      const from = isBusiness(payer) ? commerce.businesses[-1 - payer]! : null;
      draft.payerId = from?.id ?? null;
      draft.payerName = from?.name ?? null;
      draft.payerDocument = from?.document ?? null;
      draft.payerAccount = from?.account ?? null;
    }
    if (payee >= 0) {
      draft.payeeId = population.id[payee]!;
      draft.payeeName = population.name[payee]!;
      draft.payeeDocument = population.document[payee]!;
      draft.payeeAccount = population.account[payee]!;
    } else {
      const to = isBusiness(payee) ? commerce.businesses[-1 - payee]! : null;
      draft.payeeId = to?.id ?? null;
      draft.payeeName = to?.name ?? null;
      draft.payeeDocument = to?.document ?? null;
      draft.payeeAccount = to?.account ?? null;
    }
  }

  setOperation(kind: Kind, payer: Party, payee: Party, terminal: number): void {
    const draft = this.draft;
    switch (kind) {
      case KIND.walletToPerson:
      case KIND.walletToShop:
        this.#wallet(kind, payer, payee);
        return;
      case KIND.cardAtShop:
        this.#cardAtShop(payer, payee);
        return;
      case KIND.cardOnWeb:
      case KIND.subscription:
        this.#cardOnWeb(kind, payer, payee);
        return;
      case KIND.cardRefund:
        draft.operation = 'refund';
        draft.rail = 'card';
        draft.channel = 'pos';
        draft.cardId = payee >= 0 ? this.#world.population.debitCard[payee]! : null;
        draft.externalId = String(this.#nextCard());
        this.#atShop(this.#world.commerce.businesses[-1 - payer]!);
        return;
      case KIND.cashMachine:
      case KIND.agentWithdrawal:
      case KIND.agentDeposit:
      case KIND.branchWithdrawal:
      case KIND.branchDeposit:
        this.#cash(kind, payer, payee, terminal);
        return;
      case KIND.transfer:
      case KIND.rent:
      case KIND.exchangeSale:
      case KIND.exchangePurchase:
      case KIND.ownerDraw:
        this.#transfer(kind, payer, payee);
        return;
      case KIND.bill:
      case KIND.topUp:
      case KIND.taxPayment:
      case KIND.loanPayment:
        draft.operation = kind === KIND.topUp ? 'top-up' : kind === KIND.loanPayment ? 'loan-payment' : 'bill-payment';
        draft.rail = 'internal';
        draft.externalId = String(this.#nextTransfer());
        this.#inApp(payer);
        return;
      case KIND.payroll:
      case KIND.pension:
      case KIND.severance:
      case KIND.settlement:
      case KIND.supplierBatch:
      case KIND.loanDisbursement:
      case KIND.transactionTax:
      case KIND.fee:
      case KIND.reversal:
      case KIND.adjustment:
        this.#batch(kind, payer, payee);
        return;
      case KIND.supplier:
      case KIND.supplierHigh:
        draft.rail = kind === KIND.supplier ? 'cce-immediate' : 'lbtr';
        draft.channel = 'web';
        draft.authFactors = PASSWORD_TOKEN;
        draft.externalId = String(this.#nextTransfer());
        draft.concept = `FACTURA F001-${(this.#transferNumber % 89_989) + 10_000}`;
        return;
      case KIND.remittance:
        draft.operation = 'remittance';
        draft.rail = 'swift';
        draft.channel = 'batch';
        draft.country = 'US';
        draft.externalId = String(this.#nextTransfer());
        return;
      default:
        this.#withoutMoney(kind, payer);
        return;
    }
  }

  #wallet(kind: Kind, payer: Party, payee: Party): void {
    const draft = this.draft;
    draft.rail = this.#world.population.wallet[payer] === WALLET.plin ? 'plin' : 'yape';
    draft.externalId = String(this.#nextWallet());
    this.#inApp(payer);
    draft.authFactors = draft.amountMinor > CODE_ABOVE_MINOR ? BIOMETRIC_CODE : payer % 4 === 0 ? PASSWORD : BIOMETRIC;
    if (kind === KIND.walletToShop) {
      draft.operation = 'purchase';
      const shop = this.#world.commerce.businesses[-1 - payee]!;
      draft.merchantId = shop.id;
      draft.mcc = shop.mcc;
      draft.ubigeo = PLACES[shop.place]!.ubigeo;
      draft.latitude = shop.latitude;
      draft.longitude = shop.longitude;
    } else if (drawChance(this.#prng, 0.35)) {
      draft.concept = drawFrom(this.#prng, PERSON_CONCEPTS);
    }
  }

  #cardAtShop(payer: Party, payee: Party): void {
    const draft = this.draft;
    draft.operation = 'purchase';
    draft.rail = 'card';
    draft.channel = 'pos';
    draft.cardId = this.#chooseCard(payer);
    draft.externalId = String(this.#nextCard());
    const contactless = draft.amountMinor <= CONTACTLESS_BELOW_MINOR && payer % 3 !== 0;
    draft.entryMode = contactless ? 'contactless' : 'chip';
    draft.authFactors = contactless ? NO_FACTORS : PIN;
    this.#atShop(this.#world.commerce.businesses[-1 - payee]!);
  }

  #atShop(shop: Business): void {
    const draft = this.draft;
    draft.merchantId = shop.id;
    draft.mcc = shop.mcc;
    draft.terminalId = shop.terminalId;
    draft.ubigeo = PLACES[shop.place]!.ubigeo;
    draft.latitude = shop.latitude;
    draft.longitude = shop.longitude;
  }

  #cardOnWeb(kind: Kind, payer: Party, payee: Party): void {
    const draft = this.draft;
    const shop = this.#world.commerce.businesses[-1 - payee]!;
    draft.operation = 'purchase';
    draft.rail = 'card';
    draft.channel = 'ecommerce';
    draft.cardId = this.#chooseCard(payer);
    draft.externalId = String(this.#nextCard());
    draft.merchantId = shop.id;
    draft.mcc = shop.mcc;
    draft.country = shop.country;
    if (shop.currency === 'USD') {
      draft.currency = 'USD';
      draft.amountMinor = Math.max(1, Math.round(draft.amountMinor / this.#world.exchangeRate));
    }
    if (kind === KIND.subscription) {
      draft.entryMode = 'on-file';
      return;
    }
    draft.entryMode = 'ecommerce';
    draft.authFactors = drawChance(this.#prng, 0.6) ? CVV_SECURE : CVV;
    draft.deviceId = this.#world.population.device[payer]!;
    draft.ipAddress = this.#address(payer);
  }

  #cash(kind: Kind, payer: Party, payee: Party, terminal: number): void {
    const draft = this.draft;
    const { commerce, population } = this.#world;
    const isDeposit = kind === KIND.agentDeposit || kind === KIND.branchDeposit;
    draft.operation = isDeposit ? 'cash-deposit' : 'cash-withdrawal';
    draft.rail = 'cash';
    draft.externalId = String(this.#nextCard());
    if (kind === KIND.cashMachine) {
      const machine = commerce.machines[terminal]!;
      draft.channel = 'atm';
      draft.terminalId = machine.terminalId;
      draft.ubigeo = PLACES[machine.place]!.ubigeo;
      draft.latitude = machine.latitude;
      draft.longitude = machine.longitude;
      draft.cardId = population.debitCard[payer]!;
      draft.entryMode = 'chip';
      draft.authFactors = PIN;
      return;
    }
    const isAgent = kind === KIND.agentDeposit || kind === KIND.agentWithdrawal;
    draft.channel = isAgent ? 'agent' : 'branch';
    draft.authFactors = isAgent ? PIN : SIGNATURE;
    if (terminal >= 0) {
      const agent = commerce.businesses[terminal]!;
      draft.terminalId = isAgent ? agent.terminalId : `O${agent.terminalId.slice(-3)}`;
      draft.ubigeo = PLACES[agent.place]!.ubigeo;
      draft.latitude = agent.latitude;
      draft.longitude = agent.longitude;
    }
    if (isAgent && !isDeposit && payee < 0) draft.cardId = population.debitCard[payer]!;
  }

  #transfer(kind: Kind, payer: Party, payee: Party): void {
    const draft = this.draft;
    const isInternal = draft.payerAccount?.slice(0, 3) === draft.payeeAccount?.slice(0, 3) || kind === KIND.ownerDraw;
    draft.operation = kind === KIND.exchangeSale || kind === KIND.exchangePurchase ? 'currency-exchange' : 'transfer';
    draft.rail = isInternal ? 'internal' : 'cce-immediate';
    draft.externalId = String(this.#nextTransfer());
    if (payer >= 0) this.#inApp(payer);
    else draft.channel = 'web';
    draft.authFactors = PASSWORD_TOKEN;
    if (!isInternal && drawChance(this.#prng, 0.004)) {
      // The payee closed the account: an ordinary return.
      draft.status = 'declined';
      draft.responseCode = 'AC04';
    }
    if (kind === KIND.rent) draft.concept = 'alquiler';
    else if (payee >= 0 && payer >= 0 && drawChance(this.#prng, 0.4))
      draft.concept = drawFrom(this.#prng, PERSON_CONCEPTS);
  }

  #batch(kind: Kind, payer: Party, payee: Party): void {
    const draft = this.draft;
    draft.channel = 'batch';
    draft.externalId = String(this.#nextTransfer());
    const isInternal = draft.payerAccount?.slice(0, 3) === draft.payeeAccount?.slice(0, 3);
    draft.rail = isInternal ? 'internal' : 'cce-deferred';
    switch (kind) {
      case KIND.payroll:
        draft.operation = 'payroll';
        draft.concept = 'HABERES';
        return;
      case KIND.pension:
        draft.operation = 'payroll';
        draft.concept = 'PENSION';
        return;
      case KIND.severance:
        draft.operation = 'payroll';
        draft.concept = 'CTS';
        return;
      case KIND.settlement:
        draft.concept = 'LIQUIDACION VENTAS';
        return;
      case KIND.supplierBatch:
        draft.concept = `FACTURA F001-${(this.#transferNumber % 89_989) + 10_000}`;
        return;
      case KIND.loanDisbursement:
        draft.operation = 'loan-disbursement';
        draft.rail = 'internal';
        draft.channel = 'app';
        draft.deviceId = payee >= 0 ? this.#world.population.device[payee]! : null;
        return;
      case KIND.transactionTax:
        draft.operation = 'tax';
        draft.rail = 'internal';
        draft.concept = 'ITF';
        return;
      case KIND.fee:
        draft.operation = 'fee';
        draft.rail = 'internal';
        return;
      case KIND.reversal:
        draft.operation = 'reversal';
        return;
      default:
        draft.rail = 'internal';
        draft.channel = payer >= 0 ? 'branch' : 'batch';
    }
  }

  #withoutMoney(kind: Kind, payer: Party): void {
    const draft = this.draft;
    draft.amountMinor = 0;
    switch (kind) {
      case KIND.loginFailed:
        draft.operation = 'login-failed';
        draft.status = 'declined';
        draft.responseCode = '55';
        break;
      case KIND.deviceEnrolment:
        draft.operation = 'device-enrolment';
        break;
      case KIND.passwordReset:
        draft.operation = 'password-reset';
        break;
      case KIND.limitChange:
        draft.operation = 'limit-change';
        break;
      case KIND.payeeAdded:
        draft.operation = 'payee-added';
        break;
      case KIND.simChange:
        draft.operation = 'sim-change';
        return;
      case KIND.paymentClaim:
        draft.operation = 'payment-claim';
        draft.rail = 'yape';
        draft.status = 'attempted';
        draft.externalId = String(this.#walletNumber);
        return;
      case KIND.employeeLookup:
        draft.operation = 'balance-lookup';
        draft.channel = 'branch';
        return;
      default:
        draft.operation = 'balance-lookup';
    }
    if (payer >= 0) this.#inApp(payer);
    if (kind !== KIND.loginFailed) draft.authFactors = payer % 4 === 0 ? PASSWORD : BIOMETRIC;
  }

  /** In the bank's or wallet's app: the person's phone, at work in office hours, at home or travelling otherwise. */
  #inApp(person: Party): void {
    const draft = this.draft;
    draft.channel = 'app';
    if (person < 0) {
      draft.channel = 'web';
      draft.authFactors = PASSWORD_TOKEN;
      return;
    }
    const { population, travelUntil, travelPlace } = this.#world;
    const isAway = travelUntil[person]! >= this.#day;
    const isWorkTime =
      ((draft.eventTimeMs / 3_600_000 + 19) | 0) % 24 >= 9 && ((draft.eventTimeMs / 3_600_000 + 19) | 0) % 24 < 18;
    const index = isAway
      ? travelPlace[person]!
      : isWorkTime
        ? population.workPlace[person]!
        : population.place[person]!;
    const place = PLACES[index]!;
    const offset = mix(person, index);
    draft.ubigeo = place.ubigeo;
    draft.latitude = round4(place.latitude + ((offset & 255) - 128) * 0.0001);
    draft.longitude = round4(place.longitude + (((offset >>> 8) & 255) - 128) * 0.0001);
    draft.deviceId = population.device[person]!;
    draft.ipAddress = this.#address(person);
    draft.authFactors = PASSWORD_TOKEN;
  }

  #address(person: number): string {
    const chosen = mix(person, this.draft.eventTimeMs);
    return chosen % 3 === 0 ? this.#world.population.homeAddress[person]! : carrierAddress(person, this.#day);
  }

  #chooseCard(person: Party): string {
    const { creditCard, debitCard } = this.#world.population;
    if (person < 0) return debitCard[0]!;
    const credit = creditCard[person]!;
    return credit !== '' && drawChance(this.#prng, 0.55) ? credit : debitCard[person]!;
  }

  freshNumber(rail: Transaction['rail']): string {
    if (rail === 'yape' || rail === 'plin') return String(this.#nextWallet());
    return String(rail === 'card' || rail === 'cash' ? this.#nextCard() : this.#nextTransfer());
  }

  #nextWallet(): number {
    this.#walletNumber += 1 + (this.#prng.nextUint32() & 7);
    return this.#walletNumber;
  }

  #nextCard(): number {
    this.#cardNumber += 1 + (this.#prng.nextUint32() & 15);
    return this.#cardNumber;
  }

  #nextTransfer(): number {
    this.#transferNumber += 1 + (this.#prng.nextUint32() & 15);
    return this.#transferNumber;
  }
}
