// Sentences on the event itself: its hour, place, speed and kind.
import { limaMinuteOfDay } from '../../domain/calendar.ts';
import { type EntityFeature, type Finding, neighbour, type Row } from './evidence.ts';
import { duration, integer } from './format.ts';
import { entityWords } from './words.ts';

const LIMA_OFFSET_MINUTES = -300;
const IMPLAUSIBLE_KMH = 250;
/** An airliner's speed, with the way to and from the airport. */
const IMPOSSIBLE_KMH = 800;
const ABSURD_KMH = 20_000;
const RARE_HOUR_SHARE = 0.05;
const FEWEST_EVENTS = 10;

/** `03:12` in the file's local time. */
export function clockOf(row: Row): string {
  const minute = limaMinuteOfDay(row.transaction.eventTimeMs + (row.utcOffsetMinutes - LIMA_OFFSET_MINUTES) * 60_000);
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

export function speed({ value }: EntityFeature): Finding | null {
  if (value < IMPLAUSIBLE_KMH) return null;
  const impossible = value >= IMPOSSIBLE_KMH;
  const strength = impossible ? 0.95 : 0.5;
  const code = impossible ? 'DESPLAZAMIENTO_IMPOSIBLE' : 'LUGAR_INUSUAL';
  if (value > ABSURD_KMH) {
    return {
      code,
      strength,
      say: () => ({
        es: 'Dos operaciones casi simultáneas en lugares distantes: desplazamiento imposible',
        en: 'Two nearly simultaneous transactions in distant places: impossible travel',
      }),
    };
  }
  return {
    code,
    strength,
    say: () => {
      const kmh = integer(value);
      return {
        es: `${kmh} km/h entre dos operaciones: desplazamiento ${impossible ? 'imposible' : 'poco verosímil'}`,
        en: `${kmh} km/h between two transactions: ${impossible ? 'impossible' : 'implausible'} travel`,
      };
    },
  };
}

/** Share of the entity's past events within an hour of this one's hour. */
export function hourShare({ definition, entity, value }: EntityFeature, row: Row): Finding | null {
  if (value < 0 || value > RARE_HOUR_SHARE) return null;
  // A few events cover few hours: being outside them means nothing.
  if (neighbour(row, definition, 'count', definition.windowMs) < FEWEST_EVENTS) return null;
  const clock = clockOf(row);
  const who = entityWords(entity, row.transaction).subject;
  const window = definition.windowMs === null || value > 0 ? null : duration(definition.windowMs);
  return {
    code: 'HORA_INUSUAL',
    strength: value === 0 ? 0.8 : 0.6,
    say: () => ({
      es: `Operación a las ${clock}, hora en la que ${who.es} ${window === null ? 'casi nunca opera' : `no operó en ${window.es}`}`,
      en: `Transaction at ${clock}, an hour when ${who.en} ${window === null ? 'hardly ever operates' : `did not operate in ${window.en}`}`,
    }),
  };
}
