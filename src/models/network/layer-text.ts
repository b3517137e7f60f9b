// A layer in a few words, for tables and reports.
import type { Layer } from './description.ts';

export function layerText(layer: Layer): string {
  switch (layer.kind) {
    case 'dense': {
      const penalties = [layer.l1 > 0 && `L1 ${layer.l1}`, layer.l2 > 0 && `L2 ${layer.l2}`].filter(Boolean);
      return [`dense ${layer.units}`, layer.activation, ...penalties].join(' ');
    }
    case 'dropout':
      return `dropout ${layer.rate}`;
    case 'batch-norm':
      return 'batch norm';
    case 'embed-columns':
      return `embed ${layer.columns.length} column${layer.columns.length === 1 ? '' : 's'}`;
  }
}
