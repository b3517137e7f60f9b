// Who people pay and who pays them: shops with a category and a price level, web shops, employers, utilities, the state,
// agents and cash machines.
import { completeRuc } from '../domain/ruc.ts';
import { exactExp } from '../lib/exact-math.ts';
import type { Prng } from '../lib/prng.ts';
import { COMPANY_NAMES, COMPANY_SUFFIXES, SHOP_NAMES, SURNAMES } from './names.ts';
import { departmentOf, PLACES } from './places.ts';
import { PLACE_TABLE, type Population, SEGMENT, syntheticCci } from './population.ts';
import { createWeightTable, drawChance, drawFrom, drawWeighted } from './sampling.ts';

export interface Category {
  readonly mcc: string;
  readonly label: string;
  /** Median ticket in soles and its log-deviation. */
  readonly ticket: number;
  readonly sigma: number;
  /** Relative number of such shops. */
  readonly weight: number;
  /** Share of its tickets that end in whole soles. */
  readonly whole: number;
  /** Relative pull by wallet and by card. */
  readonly byWallet: number;
  readonly byCard: number;
}

const c = (
  mcc: string,
  label: string,
  ticket: number,
  sigma: number,
  weight: number,
  whole: number,
  byWallet: number,
  byCard: number,
): Category => ({ mcc, label, ticket, sigma, weight, whole, byWallet, byCard });

/** Assumed tickets by merchant category (ISO 18245). */
export const STORE_CATEGORIES: readonly Category[] = [
  c('5499', 'Bodega', 10, 0.75, 26, 0.45, 9, 0.6),
  c('5411', 'Supermercado', 68, 0.8, 6, 0.1, 2, 9),
  c('5812', 'Restaurante', 30, 0.75, 14, 0.7, 6, 4),
  c('5814', 'Pollería', 34, 0.6, 8, 0.5, 3, 4),
  c('5912', 'Botica', 24, 0.85, 8, 0.2, 4, 4),
  c('5541', 'Grifo', 60, 0.6, 5, 0.85, 2, 5),
  c('4121', 'Taxi', 14, 0.5, 8, 0.9, 5, 0),
  c('4111', 'Transporte', 4, 0.5, 4, 0.7, 4, 0.1),
  c('5422', 'Puesto de mercado', 21, 0.7, 12, 0.7, 8, 0.2),
  c('5651', 'Ropa', 88, 0.7, 6, 0.5, 2, 4),
  c('5311', 'Tienda por departamentos', 140, 0.8, 2, 0.05, 0.2, 5),
  c('5732', 'Electrónica', 380, 0.9, 2, 0.3, 0.4, 2),
  c('5251', 'Ferretería', 55, 1, 6, 0.7, 2.5, 1.5),
  c('5942', 'Librería', 28, 0.9, 4, 0.4, 1.5, 0.8),
  c('7230', 'Peluquería', 30, 0.5, 5, 0.95, 2.5, 0.6),
  c('8011', 'Consultorio', 95, 0.7, 3, 0.8, 1, 1.5),
  c('7832', 'Cine', 42, 0.5, 1, 0.2, 0.4, 1.6),
  c('7011', 'Hotel', 130, 0.6, 2, 0.6, 0.5, 1.2),
];

export const WEB_CATEGORIES: readonly Category[] = [
  c('5999', 'Mercado en línea', 115, 0.9, 8, 0.1, 0, 6),
  c('5815', 'Streaming', 32, 0.25, 4, 0, 0, 3),
  c('5816', 'Juegos', 24, 0.8, 4, 0.2, 0, 3),
  c('4511', 'Aerolínea', 480, 0.7, 3, 0.05, 0, 1.2),
  c('4722', 'Viajes', 520, 0.8, 2, 0.1, 0, 0.6),
  c('5732', 'Electrónica', 450, 0.8, 4, 0.1, 0, 1.5),
  c('5651', 'Moda', 120, 0.7, 5, 0.1, 0, 2.5),
  c('7995', 'Apuestas', 40, 0.9, 3, 0.9, 0, 1.4),
  c('5814', 'Delivery', 42, 0.5, 5, 0.1, 0, 4),
  c('6051', 'Criptoactivos', 300, 1, 2, 0.7, 0, 0.2),
  c('8398', 'Donaciones', 30, 0.6, 1, 0.9, 0, 0.3),
];

export interface Business {
  readonly id: string;
  readonly name: string;
  readonly document: string;
  account: string;
  readonly mcc: string;
  readonly category: Category | null;
  readonly price: number;
  readonly place: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly terminalId: string;
  /** ISO country; a shop abroad bills in its currency. */
  readonly country: string;
  readonly currency: string;
  /** Person who owns it, −1 if nobody in the population. */
  readonly owner: number;
}

export interface CashMachine {
  readonly terminalId: string;
  readonly place: number;
  readonly latitude: number;
  readonly longitude: number;
}

export interface Commerce {
  readonly businesses: Business[];
  readonly storesByDepartment: readonly Int32Array[];
  /** Per department and way of paying, shop numbers repeated by pull. */
  readonly walletPull: readonly Int32Array[];
  readonly cardPull: readonly Int32Array[];
  readonly webPull: Int32Array;
  readonly subscriptions: Int32Array;
  readonly agentsByDepartment: readonly Int32Array[];
  readonly employers: Int32Array;
  /** Small companies without staff in the population: suppliers, some of them shells. */
  readonly companies: Int32Array;
  readonly utilities: Int32Array;
  readonly operators: Int32Array;
  readonly exchanges: Int32Array;
  readonly remitters: Int32Array;
  readonly schools: Int32Array;
  readonly taxOffice: number;
  readonly pensionOffice: number;
  readonly lender: number;
  readonly machines: CashMachine[];
  readonly machinesByDepartment: readonly Int32Array[];
  /** Employer of each person, −1 without. */
  readonly employerOf: Int32Array;
  /** Shop that each person owns, −1 without. */
  readonly shopOf: Int32Array;
  /** FAVOURITES shops near each person. */
  readonly favourites: Int32Array;
}

export const FAVOURITES = 6;
const CHEMIST = STORE_CATEGORIES.findIndex((category) => category.mcc === '5912');

function around(prng: Prng, centre: number): number {
  return Math.round((centre + prng.nextNormal() * 0.008) * 10_000) / 10_000;
}

class Directory {
  readonly businesses: Business[] = [];
  readonly #prng: Prng;
  readonly #ownerDocuments: readonly string[];

  constructor(prng: Prng, ownerDocuments: readonly string[]) {
    this.#prng = prng;
    this.#ownerDocuments = ownerDocuments;
  }

  add(
    name: string,
    category: Category | null,
    mcc: string,
    place: number,
    owner = -1,
    abroad: 'US' | null = null,
  ): number {
    const index = this.businesses.length;
    const prng = this.#prng;
    const natural = owner >= 0 && drawChance(prng, 0.7);
    const serial = String(60_000_000 + index * 37 + prng.nextBelow(37));
    const first10 = natural ? `10${this.#ownerDocuments[owner]}` : `20${serial}`;
    this.businesses.push({
      id: `B${String(1_000_000 + index)}`,
      name,
      document: completeRuc(first10),
      account: syntheticCci(prng.nextBelow(5), 900_000_000 + index * 7),
      mcc,
      category,
      price: exactExp(0.35 * prng.nextNormal()),
      place,
      latitude: around(prng, PLACES[place]!.latitude),
      longitude: around(prng, PLACES[place]!.longitude),
      terminalId: `T${String(20_000_000 + index * 3)}`,
      country: abroad ?? 'PE',
      currency: abroad === null ? 'PEN' : 'USD',
      owner,
    });
    return index;
  }

  addMany(count: number, create: (n: number) => number): Int32Array {
    const list = new Int32Array(count);
    for (let n = 0; n < count; n++) list[n] = create(n);
    return list;
  }
}

function companyName(prng: Prng): string {
  return `${drawFrom(prng, COMPANY_NAMES)} ${drawFrom(prng, SURNAMES)} ${drawFrom(prng, COMPANY_SUFFIXES)}`;
}

function groupByDepartment(list: ArrayLike<number>, placeOf: (item: number) => number): Int32Array[] {
  const groups: number[][] = Array.from({ length: 25 }, () => []);
  for (let i = 0; i < list.length; i++) groups[departmentOf(PLACES[placeOf(list[i]!)]!)]!.push(list[i]!);
  return groups.map((group) => Int32Array.from(group));
}

function repeatByPull(
  shops: ArrayLike<number>,
  businesses: readonly Business[],
  pull: (c: Category) => number,
): Int32Array {
  const repeated: number[] = [];
  for (let i = 0; i < shops.length; i++) {
    const times = Math.round(pull(businesses[shops[i]!]!.category!) * 4);
    for (let k = 0; k < times; k++) repeated.push(shops[i]!);
  }
  return Int32Array.from(repeated);
}

const UTILITIES = [
  'Luz del Sol Eléctrica',
  'Agua Potable Metropolitana',
  'Gas Natural Andino',
  'Internet Hogar Perú',
  'Cable Andino',
];
const OPERATORS = ['Móvil Uno', 'Móvil Dos', 'Móvil Tres', 'Móvil Cuatro'];

export function createCommerce(population: Population, root: Prng): Commerce {
  const prng = root.fork(0);
  const directory = new Directory(root.fork(1), population.document);
  const { businesses } = directory;
  const lima = PLACES.findIndex((place) => place.ubigeo === '150131');
  const storeTable = createWeightTable(STORE_CATEGORIES.map((category) => category.weight));
  const shopOf = new Int32Array(population.size).fill(-1);

  const store = (place: number, owner: number, chosen = drawWeighted(prng, storeTable)): number => {
    const category = STORE_CATEGORIES[chosen]!;
    return directory.add(`${category.label} ${drawFrom(prng, SHOP_NAMES)}`, category, category.mcc, place, owner);
  };
  // Every place has a chemist's, which takes cards and wallets, and more shops where more people are.
  const stores: number[] = [];
  for (let place = 0; place < PLACES.length; place++) {
    const count = 2 + Math.floor((population.size * PLACES[place]!.weight) / 60_000);
    stores.push(store(place, -1, CHEMIST));
    for (let n = 1; n < count; n++) stores.push(store(place, -1));
  }
  for (let person = 0; person < population.size; person++) {
    if (population.segment[person] !== SEGMENT.owner) continue;
    const shop = store(population.workPlace[person]!, person);
    shopOf[person] = shop;
    stores.push(shop);
  }
  const web: number[] = [];
  for (const category of WEB_CATEGORIES) {
    const count = Math.ceil(category.weight * (2 + population.size / 40_000));
    for (let n = 0; n < count; n++) {
      const abroad = drawChance(prng, 0.25) ? 'US' : null;
      web.push(
        directory.add(`${drawFrom(prng, SHOP_NAMES)} ${category.label}`, category, category.mcc, lima, -1, abroad),
      );
    }
  }
  const company = (mcc: string) => directory.add(companyName(prng), null, mcc, drawWeighted(prng, PLACE_TABLE));
  const named = (mcc: string) => (name: string) => directory.add(name, null, mcc, lima);
  const employers = directory.addMany(8 + Math.ceil(population.size / 60), () => company('8999'));
  const companies = directory.addMany(10 + Math.ceil(population.size / 150), () => company('7399'));
  const exchanges = directory.addMany(3 + Math.ceil(population.size / 8000), () => company('6012'));
  const remitters = directory.addMany(4, () => company('4829'));
  const schools = directory.addMany(6 + Math.ceil(population.size / 1500), () =>
    directory.add(`Colegio ${drawFrom(prng, SHOP_NAMES)}`, null, '8211', drawWeighted(prng, PLACE_TABLE)),
  );
  const agents = directory.addMany(30 + Math.ceil(population.size / 120), (n) =>
    directory.add(
      `Agente ${drawFrom(prng, SHOP_NAMES)}`,
      null,
      '6010',
      n < 25 ? firstPlaceOf(n) : drawWeighted(prng, PLACE_TABLE),
    ),
  );
  const machines: CashMachine[] = [];
  for (let n = 0; n < 40 + Math.ceil(population.size / 150); n++) {
    const place = n < 25 ? firstPlaceOf(n) : drawWeighted(prng, PLACE_TABLE);
    machines.push({
      terminalId: `A${String(500_000 + n * 3)}`,
      place,
      latitude: around(prng, PLACES[place]!.latitude),
      longitude: around(prng, PLACES[place]!.longitude),
    });
  }
  const storesByDepartment = groupByDepartment(stores, (shop) => businesses[shop]!.place);
  const commerce: Commerce = {
    businesses,
    storesByDepartment,
    walletPull: storesByDepartment.map((list) => repeatByPull(list, businesses, (category) => category.byWallet)),
    cardPull: storesByDepartment.map((list) => repeatByPull(list, businesses, (category) => category.byCard)),
    webPull: repeatByPull(web, businesses, (category) => category.byCard),
    subscriptions: Int32Array.from(web.filter((shop) => businesses[shop]!.mcc === '5815')),
    agentsByDepartment: groupByDepartment(agents, (agent) => businesses[agent]!.place),
    employers,
    companies,
    utilities: Int32Array.from(UTILITIES, named('4900')),
    operators: Int32Array.from(OPERATORS, named('4814')),
    exchanges,
    remitters,
    schools,
    taxOffice: named('9311')('SUNAT'),
    pensionOffice: named('9399')('Oficina de Pensiones'),
    lender: named('6012')('Préstamos Personales'),
    machines,
    machinesByDepartment: groupByDepartment(
      machines.map((_, n) => n),
      (n) => machines[n]!.place,
    ),
    employerOf: new Int32Array(population.size).fill(-1),
    shopOf,
    favourites: new Int32Array(population.size * FAVOURITES),
  };
  for (let person = 0; person < population.size; person++) settle(commerce, population, person, root.fork(person + 2));
  return commerce;
}

function firstPlaceOf(department: number): number {
  return PLACES.findIndex((place) => departmentOf(place) === department);
}

function settle(commerce: Commerce, population: Population, person: number, prng: Prng): void {
  if (population.segment[person] === SEGMENT.dependent) {
    // The square makes a few employers large and most small.
    const share = prng.nextFloat();
    commerce.employerOf[person] = commerce.employers[Math.floor(share * share * commerce.employers.length)]!;
  }
  const department = departmentOf(PLACES[population.place[person]!]!);
  const near = commerce.walletPull[department]!;
  for (let k = 0; k < FAVOURITES; k++) {
    let best = near[prng.nextBelow(near.length)]!;
    for (let attempt = 0; attempt < 5 && commerce.businesses[best]!.place !== population.place[person]; attempt++) {
      best = near[prng.nextBelow(near.length)]!;
    }
    commerce.favourites[person * FAVOURITES + k] = best;
  }
}
