// What people choose when they are asked for a password, without the digits and signs that they put around it; lower case,
// accents taken off, ñ kept and also as n. A short list by hand of words that every published
// list of leaked passwords has, with those of Spanish-speaking countries and of Peru: clubs, cities, banks, holidays.

const ENGLISH = `
password passwort pass passw passwd admin administrator root user guest test testing login welcome letmein changeme
change default master secret qwerty qwertyuiop asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qweasd abc abcd abcdef iloveyou
love lovely lover monkey dragon sunshine princess football baseball soccer superman batman starwars pokemon naruto
shadow michael jordan jennifer hunter ranger killer trustno freedom whatever computer internet server system access
google facebook instagram twitter tiktok youtube windows microsoft oracle cisco linux ubuntu android iphone samsung
summer winter spring autumn monday friday january december hello helloworld flower cookie chocolate banana orange
purple silver golden diamond angel angels jesus jesuschrist blessed heaven money business company office bank banking
security secure private temporal temporary demo sample example database postgres mysql backup service manager support
correct horse battery staple`;

const SPANISH = `
contraseña contrasena clave miclave claveclave acceso entrada usuario invitado administrador prueba pruebas cambiar cambiame
bienvenido bienvenida hola holamundo holahola teamo teamomucho tequiero tequieromucho amor amorcito miamor mivida micielo
corazon princesa princesita reina hermosa bonita preciosa chiquita gatito perrito estrella mariposa angel angelito dios
diosesamor dioses jesus jesucristo jesuscristo cristo virgen maria familia mifamilia mama mamita papa papito hijo hija hermano
hermana abuelita bebe felicidad alegria libertad esperanza secreto secreta seguro segura seguridad dinero plata banco
empresa oficina trabajo sistema sistemas computadora internet colegio universidad facultad escuela profesor doctor
ingeniero contador gerente analista fraude tarjeta cuenta ahorro credito barcelona realmadrid madrid messi ronaldo neymar
maradona futbol campeon campeones america verano invierno otoño primavera enero febrero marzo abril mayo junio julio
agosto setiembre septiembre octubre noviembre diciembre lunes martes miercoles jueves viernes sabado domingo navidad
feliznavidad añonuevo cumpleaños musica guitarra chocolate fresa manzana naranja alejandro alejandra andrea carlos carolina
claudia daniel daniela diego eduardo fernanda fernando francisco gabriel gabriela jorge jose josue juan juancarlos karina
katherine leonardo lucia luis manuel mariana mario martin miguel milagros monica natalia nicolas pablo patricia paola pedro
ricardo roberto rosa rosario sandra sebastian sofia valentina valeria vanessa veronica victor ximena`;

const PERUVIAN = `
peru peruperu miperu perucampeon vivaelperu arribaperu alperu limaperu lima callao arequipa cusco cuzco trujillo chiclayo piura iquitos
huancayo tacna puno ayacucho cajamarca chimbote huaraz ica pucallpa moquegua tumbes miraflores sanisidro surco barranco lince
machupicchu nazca titicaca amazonas inca incas imperio condor llama alpaca vicuña cuy pachamama inti universitario
universitariodedeportes lau dalecrema crema cremas alianza alianzalima blanquiazul aliancista cristal sportingcristal
cienciano melgar sportboys cristalino bicolor blanquirroja guerrero paologuerrero farfan cueva gallese lapadula fano
ceviche cebiche pisco piscosour incakola anticucho causa lomosaltado pollo polloalabrasa chicha cumbia huayno marinera
cajon criollo señordelosmilagros señor milagros santarosa sarita saritacolonia fiestaspatrias veintiochodejulio
interbank bcp bbva scotiabank banbif pichincha mibanco yape plin sunat reniec sbs bcrp grau bolognesi cahuide tupacamaru
vallejo vargasllosa mistura metropolitano gamarra combi causita chevere bacan jato chamba chela pata`;

const BOTH = [ENGLISH, SPANISH, PERUVIAN].join(' ').trim().split(/\s+/);

/** Words of letters alone. */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  BOTH.flatMap((word) => (word.includes('ñ') ? [word, word.replaceAll('ñ', 'n')] : [word])),
);

/** Neighbours on keyboards, the alphabet and the digits. */
export const KEYBOARD_ROWS: readonly string[] = [
  ...['01234567890', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'asdfghjklñ', 'zxcvbnm'],
  ...['qazwsxedcrfvtgbyhnujmikolp', '1q2w3e4r5t6y7u8i9o0p'],
];
