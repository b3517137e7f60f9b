// How common the words of names are, roughly: what a shared word is worth as evidence where the list itself is too small to
// tell. Three steps are enough, since only the logarithm counts; common knowledge of Peruvian names, not a census.
import { soundOf } from './name-words.ts';

const VERY_COMMON_SHARE = 0.03;
const COMMON_SHARE = 0.008;
const OTHER_SHARE = 0.00005;

const VERY_COMMON =
  'maria jose luis juan carlos rosa jesus ana jorge victor carmen quispe flores sanchez garcia rodriguez rojas huaman mamani ' +
  'lopez ramos inversiones servicios comercial corporacion grupo peru generales importaciones exportaciones';
const COMMON =
  'miguel manuel cesar julio pedro walter raul oscar edwin percy marco angel david diego ivan hugo ricardo fernando hector ' +
  'alberto roberto richard santiago juana luz julia elena gladys flor milagros karina patricia lucia daniela valeria ruth ' +
  'nelly silvia norma gloria jessica diana sofia teresa isabel victoria maribel sandra nancy mercedes margarita antonio ' +
  'francisco javier enrique eduardo alejandro felix mario pablo andres daniel martin rafael segundo wilson cristian ' +
  'chavez diaz mendoza torres vasquez castillo espinoza gonzales ramirez perez fernandez condori cruz gutierrez vargas ' +
  'romero silva castro salazar pena munoz nunez choque apaza paredes vega cardenas ruiz medina aguilar reyes palomino ' +
  'campos guerrero delgado soto cordova huanca tello rios zapata ponce cabrera ortiz leon caceres villanueva bustamante ' +
  'ochoa zevallos ticona martinez gomez herrera morales jimenez alvarez hernandez cespedes carrillo rivera santos ' +
  'constructora distribuidora transportes consultores logistica soluciones industrial industrias comercializadora ' +
  'negocios asociados internacional norte sur banco fundacion asociacion cooperativa trading company group international';

const SHARES: ReadonlyMap<string, number> = new Map([
  ...COMMON.split(' ').map((word) => [soundOf(word), COMMON_SHARE] as const),
  ...VERY_COMMON.split(' ').map((word) => [soundOf(word), VERY_COMMON_SHARE] as const),
]);

/** Share of names with a word of this sound, (0, 1). */
export function shareOfWord(sound: string): number {
  return SHARES.get(sound) ?? OTHER_SHARE;
}
