// The fixed texts of the page of a training, in both languages.
import type { Bilingual } from '../report-data.ts';

export const TRAINING_TEXTS = {
  title: { es: 'Entrenamiento del modelo', en: 'Training of the model' },
  rows: { es: 'operaciones leídas', en: 'transactions read' },
  features: { es: 'datos por operación', en: 'features per transaction' },
  averagePrecision: { es: 'precisión media', en: 'average precision' },
  onLater: { es: 'en el tramo posterior', en: 'on later time' },
  noLabels: { es: 'sin etiquetas en el tramo posterior', en: 'no labels on later time' },
  time: { es: 'de entrenamiento', en: 'of training' },
  timeHint: { es: 'lectura y medición incluidas', en: 'reading and measuring included' },

  curves: { es: 'Curvas de pérdida', en: 'Loss curves' },
  curvesHint: {
    es: 'Pérdida media por época, más baja es mejor. La red guarda los pesos de la época marcada.',
    en: 'Mean loss per epoch, lower is better. The network keeps the weights of the marked epoch.',
  },
  noCurves: {
    es: 'Ningún detector de este modelo es una red neuronal: no hay épocas que mostrar.',
    en: 'No detector of this model is a neural network: there are no epochs to show.',
  },
  network: { es: 'red', en: 'network' },
  training: { es: 'entrenamiento', en: 'training' },
  validation: { es: 'validación', en: 'validation' },
  epoch: { es: 'Época', en: 'Epoch' },
  loss: { es: 'Pérdida', en: 'Loss' },
  lossLogarithmic: { es: 'Pérdida (escala logarítmica)', en: 'Loss (logarithmic scale)' },
  kept: { es: 'guardada', en: 'kept' },
  epochsTable: { es: 'Cifras de cada época', en: 'Figures of each epoch' },
  learningRate: { es: 'Tasa de aprendizaje', en: 'Learning rate' },
  notDrawn: { es: 'redes más, no dibujadas', en: 'more networks, not drawn' },

  measured: { es: 'Medición en el tramo posterior', en: 'Measured on later time' },
  measuredHint: {
    es: 'La misma receta, entrenada solo con el tramo anterior y medida en el último 20 % del periodo, que no vio. El modelo registrado se entrenó luego con todo.',
    en: 'The same recipe, trained on the earlier part only and measured on the last 20% of the period, which it did not see. The registered model was then trained on everything.',
  },
  laterRows: { es: 'Operaciones', en: 'Transactions' },
  laterFrauds: { es: 'Fraudes o errores conocidos', en: 'Known frauds or errors' },
  calibrationError: { es: 'Error de calibración esperado', en: 'Expected calibration error' },
  notKnown: { es: 'no se puede medir', en: 'can’t be measured' },

  settings: { es: 'Ajustes', en: 'Settings' },
  noSettings: { es: 'ninguno', en: 'none' },
  model: { es: 'Modelo', en: 'Model' },
  made: { es: 'Hecho', en: 'Made' },
  listFeatures: { es: 'Ver los datos que usa el modelo', en: 'Show the features that the model uses' },
} as const satisfies Readonly<Record<string, Bilingual>>;
