// Where people live and shop: districts of Lima and Callao and the larger cities of every department.
//
// INEI codes (DDPPDD). Coordinates are town centres to about a kilometre and weights are rough population shares, enough
// for distances and proportions, not for maps. Lima and Callao together hold about half of the weight.

export interface Place {
  /** INEI code, six digits. */
  readonly ubigeo: string;
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
  /** Relative number of customers. */
  readonly weight: number;
  /** Local price and income level, 1 is Lima's mean. */
  readonly level: number;
}

const p = (
  ubigeo: string,
  name: string,
  latitude: number,
  longitude: number,
  weight: number,
  level: number,
): Place => ({ ubigeo, name, latitude, longitude, weight, level });

export const PLACES: readonly Place[] = [
  p('010101', 'Chachapoyas', -6.2294, -77.8728, 6, 0.75),
  p('010201', 'Bagua', -5.6389, -78.5311, 5, 0.7),
  p('020101', 'Huaraz', -9.5278, -77.5278, 14, 0.8),
  p('021801', 'Chimbote', -9.0745, -78.5936, 24, 0.82),
  p('030101', 'Abancay', -13.6339, -72.8814, 9, 0.75),
  p('030201', 'Andahuaylas', -13.6556, -73.3872, 7, 0.7),
  p('040101', 'Arequipa', -16.3988, -71.5369, 20, 1),
  p('040103', 'Cayma', -16.3797, -71.5472, 14, 1.02),
  p('040104', 'Cerro Colorado', -16.3744, -71.5611, 24, 0.88),
  p('040129', 'José Luis Bustamante y Rivero', -16.4264, -71.5233, 13, 1),
  p('040701', 'Mollendo', -17.0231, -72.0147, 6, 0.85),
  p('050101', 'Ayacucho', -13.1588, -74.2239, 14, 0.75),
  p('050401', 'Huanta', -12.9397, -74.2475, 6, 0.7),
  p('060101', 'Cajamarca', -7.1638, -78.5003, 18, 0.8),
  p('060801', 'Jaén', -5.7089, -78.8078, 10, 0.75),
  p('070101', 'Callao', -12.0566, -77.1181, 45, 0.9),
  p('070106', 'Ventanilla', -11.8753, -77.1253, 30, 0.75),
  p('080101', 'Cusco', -13.5226, -71.9673, 18, 0.9),
  p('080105', 'San Sebastián', -13.5303, -71.9386, 10, 0.85),
  p('080108', 'Wanchaq', -13.5247, -71.9583, 9, 0.92),
  p('081001', 'Sicuani', -14.2694, -71.2261, 6, 0.7),
  p('090101', 'Huancavelica', -12.7864, -74.9756, 6, 0.65),
  p('100101', 'Huánuco', -9.9306, -76.2422, 14, 0.75),
  p('100601', 'Tingo María', -9.2953, -75.9957, 7, 0.72),
  p('110101', 'Ica', -14.0678, -75.7286, 20, 0.88),
  p('110201', 'Chincha Alta', -13.4099, -76.1324, 11, 0.82),
  p('110501', 'Pisco', -13.7103, -76.2054, 9, 0.82),
  p('120101', 'Huancayo', -12.0651, -75.2049, 17, 0.82),
  p('120114', 'El Tambo', -12.0567, -75.2214, 15, 0.82),
  p('120501', 'Satipo', -11.2522, -74.6386, 6, 0.7),
  p('130101', 'Trujillo', -8.1116, -79.0288, 28, 0.92),
  p('130105', 'La Esperanza', -8.0797, -79.0447, 16, 0.72),
  p('130111', 'Víctor Larco Herrera', -8.1353, -79.0456, 8, 1.02),
  p('130901', 'Huamachuco', -7.8144, -78.0489, 7, 0.8),
  p('131001', 'Santiago de Chuco', -8.1447, -78.1742, 3, 0.7),
  p('140101', 'Chiclayo', -6.7714, -79.8409, 24, 0.86),
  p('140105', 'José Leonardo Ortiz', -6.7519, -79.8392, 14, 0.74),
  p('140301', 'Lambayeque', -6.7011, -79.9061, 7, 0.78),
  p('150101', 'Lima', -12.0464, -77.0428, 36, 0.98),
  p('150103', 'Ate', -12.0256, -76.9206, 52, 0.84),
  p('150104', 'Barranco', -12.1406, -77.0214, 6, 1.25),
  p('150105', 'Breña', -12.0569, -77.0536, 11, 1),
  p('150106', 'Carabayllo', -11.8583, -77.0414, 28, 0.76),
  p('150108', 'Chorrillos', -12.1683, -77.0244, 28, 0.98),
  p('150110', 'Comas', -11.9458, -77.0494, 42, 0.82),
  p('150111', 'El Agustino', -12.0447, -76.9997, 18, 0.8),
  p('150112', 'Independencia', -11.9911, -77.0456, 19, 0.84),
  p('150113', 'Jesús María', -12.0783, -77.0483, 11, 1.25),
  p('150114', 'La Molina', -12.0794, -76.9422, 17, 1.5),
  p('150115', 'La Victoria', -12.0664, -77.0175, 19, 0.94),
  p('150116', 'Lince', -12.0842, -77.0361, 9, 1.15),
  p('150117', 'Los Olivos', -11.9914, -77.0708, 32, 0.94),
  p('150118', 'Lurigancho', -11.9369, -76.7022, 20, 0.78),
  p('150119', 'Lurín', -12.2742, -76.8697, 8, 0.82),
  p('150120', 'Magdalena del Mar', -12.0911, -77.0669, 8, 1.25),
  p('150121', 'Pueblo Libre', -12.0761, -77.0631, 10, 1.2),
  p('150122', 'Miraflores', -12.1219, -77.0297, 14, 1.65),
  p('150125', 'Puente Piedra', -11.8669, -77.0769, 29, 0.76),
  p('150128', 'Rímac', -12.0367, -77.0347, 19, 0.86),
  p('150130', 'San Borja', -12.1008, -76.9953, 13, 1.55),
  p('150131', 'San Isidro', -12.0989, -77.0347, 8, 1.8),
  p('150132', 'San Juan de Lurigancho', -11.9764, -77.0053, 86, 0.8),
  p('150133', 'San Juan de Miraflores', -12.1611, -76.9722, 32, 0.84),
  p('150135', 'San Martín de Porres', -12.0058, -77.0825, 58, 0.88),
  p('150136', 'San Miguel', -12.0775, -77.0922, 17, 1.22),
  p('150137', 'Santa Anita', -12.0478, -76.9694, 17, 0.88),
  p('150140', 'Santiago de Surco', -12.1464, -76.9914, 36, 1.45),
  p('150141', 'Surquillo', -12.1128, -77.0172, 10, 1.15),
  p('150142', 'Villa El Salvador', -12.2133, -76.9367, 35, 0.78),
  p('150143', 'Villa María del Triunfo', -12.1614, -76.9428, 33, 0.78),
  p('150501', 'San Vicente de Cañete', -13.0775, -76.3875, 8, 0.8),
  p('150601', 'Huaral', -11.4953, -77.2078, 8, 0.8),
  p('150801', 'Huacho', -11.1067, -77.605, 10, 0.82),
  p('160101', 'Iquitos', -3.7491, -73.2538, 20, 0.78),
  p('160201', 'Yurimaguas', -5.9028, -76.1139, 6, 0.7),
  p('170101', 'Puerto Maldonado', -12.5933, -69.1891, 10, 0.9),
  p('170103', 'Laberinto', -12.7169, -69.5914, 2, 0.85),
  p('180101', 'Moquegua', -17.1958, -70.9356, 6, 0.95),
  p('180301', 'Ilo', -17.6394, -71.3375, 7, 0.95),
  p('190101', 'Chaupimarca', -10.6828, -76.2561, 7, 0.76),
  p('190307', 'Villa Rica', -10.7392, -75.2703, 3, 0.7),
  p('200101', 'Piura', -5.1945, -80.6328, 22, 0.86),
  p('200104', 'Castilla', -5.2031, -80.6197, 13, 0.8),
  p('200601', 'Sullana', -4.9039, -80.6853, 15, 0.78),
  p('200701', 'Pariñas', -4.5772, -81.2719, 8, 0.84),
  p('210101', 'Puno', -15.8402, -70.0219, 13, 0.76),
  p('211101', 'Juliaca', -15.4997, -70.1333, 22, 0.76),
  p('210201', 'Azángaro', -14.9086, -70.1961, 4, 0.66),
  p('220101', 'Moyobamba', -6.0342, -76.9717, 8, 0.74),
  p('220901', 'Tarapoto', -6.4878, -76.3597, 13, 0.82),
  p('230101', 'Tacna', -18.0146, -70.2536, 20, 0.88),
  p('240101', 'Tumbes', -3.5669, -80.4515, 9, 0.78),
  p('250101', 'Callería', -8.3791, -74.5539, 18, 0.78),
  p('250105', 'Yarinacocha', -8.3522, -74.5767, 8, 0.72),
];

/** A city abroad where travellers' cards are used. */
export interface ForeignPlace {
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
}

export const FOREIGN_PLACES: readonly ForeignPlace[] = [
  { country: 'US', latitude: 25.7617, longitude: -80.1918 },
  { country: 'CL', latitude: -33.4489, longitude: -70.6693 },
  { country: 'CO', latitude: 4.711, longitude: -74.0721 },
  { country: 'EC', latitude: -0.1807, longitude: -78.4678 },
  { country: 'MX', latitude: 19.4326, longitude: -99.1332 },
  { country: 'ES', latitude: 40.4168, longitude: -3.7038 },
  { country: 'BR', latitude: -23.5505, longitude: -46.6333 },
  { country: 'AR', latitude: -34.6037, longitude: -58.3816 },
];

/** Departments from which proceeds of illegal mining are reported most (docs/simulator.md). */
export const MINING_DEPARTMENTS: readonly string[] = ['17', '21', '13', '04'];

export function departmentOf(place: Place): number {
  return Number(place.ubigeo.slice(0, 2)) - 1;
}
