// Ubigeo: the six-digit code of a district, DDPPDD (department, province, district).
//
// INEI and RENIEC number the same places differently (Miraflores is 150122 for INEI and 140115 for RENIEC), so a code
// means nothing without its coding. The canonical transaction carries INEI's.

const DEPARTMENTS = 25;

/** True for six digits with a department 01–25 and a province and district above 00. A shape: districts change by law. */
export function isUbigeoShape(text: string): boolean {
  if (!/^\d{6}$/.test(text)) return false;
  const department = Number(text.slice(0, 2));
  return department >= 1 && department <= DEPARTMENTS && text.slice(2, 4) !== '00' && text.slice(4) !== '00';
}
