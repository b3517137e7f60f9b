// The look of each kind of event: operation, rail, channel, place, device, factors, numbers.
//
// One draft is filled again and again; the renderer moves the money and copies the draft into a transaction.
import type { Transaction } from '../domain/transaction.ts';
import type { Prng } from '../lib/prng.ts';
import type { Business } from './commerce.ts';
import { createDraft, type Draft } from './draft.ts';
import { dressBatch } from './dress-batch.ts';
import { PERSON_CONCEPTS } from './names.ts';
import { carrierAddress, mix } from './network.ts';
import { PLACES } from './places.ts';
import { KIND, type Kind, type Party } from './plan.ts';
import { cardToken, deviceToken, WALLET } from './population.ts';
import { drawChance, drawFrom } from './sampling.ts';
import type { World } from './world.ts';

const CODE_ABOVE_MINOR = 50_000;
/** ISO 8583 DE39: no such card, expired, wrong CVV, do not honour, no funds. */
const UNKNOWN_CARD_CODES = ['14', '14', '54', '05', '82', '51'] as const;
const CODE_FROM_MINOR = 20_000;
const CONTACTLESS_BELOW_MINOR = 8_000;

const NO_FACTORS: Transaction['authFactors'] = [];
const BIOMETRIC: Transaction['authFactors'] = ['biometric'];
const PASSWORD: Transaction['authFactors'] = ['password'];
const BIOMETRIC_CODE: Transaction['authFactors'] = ['biometric', 'otp-sms'];
const PASSWORD_TOKEN: Transaction['authFactors'] = ['password', 'token'];
const PASSWORD_CODE: Transaction['authFactors'] = ['password', 'otp-sms'];
const PIN: Transaction['authFactors'] = ['pin'];
const CVV: Transaction['authFactors'] = ['cvv'];
const CVV_SECURE: Transaction['authFactors'] = ['cvv', 'three-ds'];
const SIGNATURE: Transaction['authFactors'] = ['signature'];

const round4 = (degrees: number): number => Math.round(degrees * 10_000) / 10_000;

export class Dresser {
  readonly draft: Draft = createDraft();
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
        draft.entryMode = drawChance(this.#prng, 0.5) ? 'manual' : 'chip';
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
        draft.externalId = String(this.#nextTransfer());
        if (kind === KIND.loanDisbursement) this.#inApp(payee);
        dressBatch(draft, kind, payer, this.#transferNumber);
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
    const isByPassword = payer % 4 === 0;
    draft.authFactors = isByPassword ? PASSWORD : BIOMETRIC;
    if (draft.amountMinor >= CODE_FROM_MINOR && (draft.amountMinor > CODE_ABOVE_MINOR || drawChance(this.#prng, 0.4))) {
      draft.authFactors = isByPassword ? PASSWORD_CODE : BIOMETRIC_CODE;
    }
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
    draft.entryMode = this.#entryMode(payer);
    draft.authFactors = draft.entryMode === 'contactless' ? NO_FACTORS : PIN;
    this.#atShop(this.#world.commerce.businesses[-1 - payee]!);
  }

  /** Chip or contactless; one in two hundred chips is damaged. */
  #entryMode(payer: Party): Draft['entryMode'] {
    if (drawChance(this.#prng, 0.005)) return drawChance(this.#prng, 0.7) ? 'fallback' : 'stripe';
    const isContactless =
      this.draft.channel === 'pos' && this.draft.amountMinor <= CONTACTLESS_BELOW_MINOR && payer % 3 !== 0;
    return isContactless ? 'contactless' : 'chip';
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
    if (payer < 0) {
      this.#unknownCard();
      return;
    }
    draft.deviceId = this.#world.population.device[payer]!;
    draft.ipAddress = this.#address(payer);
  }

  /** A number that belongs to no customer, or not to this one: typed wrong, expired, tried. */
  #unknownCard(): void {
    const { draft } = this;
    draft.cardId = cardToken(this.#prng.nextUint32(), this.#prng.nextUint32());
    draft.deviceId = deviceToken(this.#prng.nextUint32(), this.#prng.nextUint32());
    draft.ipAddress = carrierAddress(this.#prng.nextUint32() | 0, this.#day);
    draft.authFactors = CVV;
    draft.status = 'declined';
    draft.responseCode = drawFrom(this.#prng, UNKNOWN_CARD_CODES);
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
      draft.entryMode = this.#entryMode(payer);
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
    if (kind === KIND.exchangeSale) {
      draft.currency = 'USD';
      draft.amountMinor = Math.round(draft.amountMinor / this.#world.exchangeRate);
    }
    if (payer >= 0) this.#inApp(payer);
    else draft.channel = 'web';
    // Two customers in five still get their codes by SMS.
    draft.authFactors = payer >= 0 && payer % 5 < 2 ? PASSWORD_CODE : PASSWORD_TOKEN;
    if (!isInternal && drawChance(this.#prng, 0.004)) {
      // The payee closed the account: an ordinary return.
      draft.status = 'declined';
      draft.responseCode = 'AC04';
    }
    if (kind === KIND.rent) draft.concept = 'alquiler';
    else if (payee >= 0 && payer >= 0 && drawChance(this.#prng, 0.4))
      draft.concept = drawFrom(this.#prng, PERSON_CONCEPTS);
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
    else draft.channel = 'web';
    if (kind === KIND.loginFailed) return;
    const withCode = kind !== KIND.balanceLookup && drawChance(this.#prng, 0.55);
    draft.authFactors = withCode ? PASSWORD_CODE : payer % 4 === 0 ? PASSWORD : BIOMETRIC;
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
    if (person < 0) return '';
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
