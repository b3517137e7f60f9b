import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { checkAttachment, cleanFileName, MOST_ATTACHMENT_BYTES } from './attachment.ts';
import { cleanTag, cleanText } from './written-text.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const PDF = { type: 'application/pdf', extension: 'pdf' };

describe('attachments', () => {
  it('are what their bytes are', () => {
    const docx = zipSync({ '[Content_Types].xml': bytes('<x/>'), 'word/document.xml': bytes('<x/>') });
    const type = (of: Uint8Array) => checkAttachment(of).extension;
    expect(type(bytes('%PDF-1.7\n'))).toBe('pdf');
    expect(type(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0))).toBe('png');
    expect(type(docx)).toBe('docx');
    expect(type(bytes('Fecha;Monto\n13/01/2026;S/ 1,234.56\n'))).toBe('txt');
  });

  it.each([
    ['a program', Uint8Array.of(0x4d, 0x5a, 0x90, 0, 3)],
    ['a page', bytes(' <!doctype html><p>hola')],
    ['a drawing that browsers run', bytes('<svg xmlns="x" onload="alert(1)"/>')],
    ['markup in a text', bytes('hola <script>alert(1)</script>')],
    ['a ZIP of anything', zipSync({ 'a.txt': bytes('a') })],
    [
      'a document with macros',
      zipSync({ '[Content_Types].xml': bytes(''), 'word/document.xml': bytes(''), 'word/vbaProject.bin': bytes('') }),
    ],
    ['bytes that are no text', Uint8Array.of(1, 2, 3, 200)],
    ['a PDF after something else', bytes('x%PDF-1.7\u0000')],
  ])('refuse %s', (_, file) => {
    expect(() => checkAttachment(file)).toThrow(/not kept/);
  });

  it('refuse what is empty, larger than 10 MiB, or a text with card numbers', () => {
    expect(() => checkAttachment(new Uint8Array(0))).toThrow(/empty/);
    const large = new Uint8Array(MOST_ATTACHMENT_BYTES + 1).fill(65);
    expect(() => checkAttachment(large)).toThrow(/10 MiB/);
    expect(() => checkAttachment(bytes('tarjeta 4111 1111 1111 1111'))).toThrow(/card numbers/);
  });

  it('get a name without path, tricks and card numbers', () => {
    const named = (name: string) => cleanFileName(name, PDF);
    expect(named('../../etc/passwd')).toBe('passwd.pdf');
    expect(named('C:\\temp\\pago.exe')).toBe('pago.pdf');
    expect(named('recibo\u202efdp.exe')).toBe('recibofdp.pdf');
    expect(named('.htaccess')).toBe('archivo.pdf');
    expect(named('CON.txt')).toBe('archivo.pdf');
    expect(named('4111111111111111.png')).not.toContain('411111111111');
    expect(named('Señora Núñez (1).PDF')).toBe('Señora Núñez (1).pdf');
  });

  it('get a name that is safe whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        const safe = cleanFileName(name, PDF);
        expect(safe).toMatch(/^[^/\\<>:"|?*\p{Cc}]+\.pdf$/u);
        expect(safe.startsWith('.')).toBe(false);
        expect(safe.length).toBeLessThanOrEqual(120);
      }),
    );
  });
});

describe('what people write', () => {
  it('is kept without card numbers and control characters', () => {
    expect(cleanText(' pagó con 4111111111111111\u0000\u202e ', 100, 'comment')).toBe('pagó con 411111******1111');
    expect(() => cleanText(' \u200b ', 100, 'comment')).toThrow(/empty/);
    expect(() => cleanText('a'.repeat(101), 100, 'comment')).toThrow(/101 letters/);
  });

  it('is a tag only as words', () => {
    expect(cleanTag(' Cuenta Mula: ÑAÑA ')).toBe('cuenta-mula-ñaña');
    expect(() => cleanTag('45678912')).toThrow(/no tag/);
    expect(() => cleanTag('--')).toThrow(/no tag/);
  });
});
