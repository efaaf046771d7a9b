/**
 * The sequences that put a prompt on the terminal and take it away again.
 *
 * Over a program on the normal screen the terminal itself keeps what was there (1049). Over a program that uses the
 * alternate screen already, the model draws it again. Source: "XTerm Control Sequences"; kitty's keyboard protocol has
 * one stack for each screen, so its push and pop stand inside the switch.
 */
import type { TerminalModel } from './terminal-model.js';
import { inputModes, screenModes } from './terminal-modes.js';

const pasteMarks = 2004;
const syncOutput = 2026;

/**
 * Everything that decides whether what is written is seen, and as what: set each time, whatever the model believes, since
 * it does not know all that a terminal can do.
 */
const promptGround = [
  // to the screen: no printer (MC), no status line (DECSASD), no icon (XTWINOPS)
  '\x1b[4i\x1b[?4i\x1b[0$}\x1b[1t',
  // as UTF-8 (ISO 2022), with seven-bit controls; every character set ASCII, the first one in use
  '\x1b%G\x1b F\x1b(B\x1b)B\x1b*B\x1b+B\x0f',
  // a keyboard that is not locked (KAM), replacing (IRM), no echo (SRM), a line feed alone goes down (LNM)
  '\x1b[2l\x1b[4l\x1b[12h\x1b[20l\x1b>',
  // no margins on any side, no origin, wrapping forwards only, no images that scroll (DECSDM), not reversed
  ...[69, 6, 45, 80, 5, 1].map((mode) => privateMode(mode, false)),
  '\x1b[r',
  privateMode(7, true),
  privateMode(25, false),
  // no link, nothing that an erasure leaves out (DECSCA), no rendition
  '\x1b]8;;\x1b\\\x1b[0"q\x1b[0m\x1b[2J\x1b[H',
].join('');

export function enterPrompt(model: TerminalModel): string {
  const { modes } = model;
  const inputs = inputModes.filter((mode) => modes.isOn(mode) && mode !== pasteMarks);
  return [
    modes.isOn(syncOutput) ? privateMode(syncOutput, false) : '',
    ...inputs.map((mode) => privateMode(mode, false)),
    model.screen === 'normal' ? privateMode(1049, true) : '',
    modes.kitty ? '\x1b[>0u' : '',
    modes.modifyOtherKeys === 0 ? '' : '\x1b[>4;0m',
    privateMode(pasteMarks, true),
    modes.colours.undo(),
    promptGround,
  ].join('');
}

/** Gives the screen back as the model has it now, after any resize. */
export function leavePrompt(model: TerminalModel): string {
  const { modes } = model;
  const screen = model.screen === 'normal' ? leaveToNormal(model) : leaveToAlternate(model);
  return [
    modes.isOn(pasteMarks) ? '' : privateMode(pasteMarks, false),
    modes.kitty ? '\x1b[<1u' : '',
    screen,
    programModes(model),
  ].join('');
}

/** Everything but the paste marks, the keyboard stack, and what moves the cursor. */
function programModes({ modes }: TerminalModel): string {
  const inputs = inputModes.filter((mode) => modes.isOn(mode) && mode !== pasteMarks);
  return [
    modes.modifyOtherKeys === 0 ? '' : `\x1b[>4;${modes.modifyOtherKeys}m`,
    modes.sgr,
    modes.colours.redo(),
    modes.hyperlink === '' ? '' : `\x1b]8;${modes.hyperlink}\x1b\\`,
    `\x1b(${modes.g0}`,
    modes.insert ? '\x1b[4h' : '',
    modes.keypad ? '\x1b=' : '',
    ...screenModes.filter((mode) => mode !== 6).map((mode) => privateMode(mode, modes.isOn(mode))),
    ...inputs.map((mode) => privateMode(mode, true)),
  ].join('');
}

/** The program stands still, and the shell has the terminal: its own screen, no modes of the program. */
export function lendToShell(model: TerminalModel): string {
  const { modes } = model;
  return [
    ...inputModes.filter((mode) => modes.isOn(mode)).map((mode) => privateMode(mode, false)),
    modes.isOn(syncOutput) ? privateMode(syncOutput, false) : '',
    modes.kitty ? '\x1b[>0u' : '',
    modes.modifyOtherKeys === 0 ? '' : '\x1b[>4;0m',
    modes.margins ? '\x1b7\x1b[r\x1b8' : '',
    model.screen === 'alternate' ? privateMode(1049, false) : '',
    modes.cursorShaped ? '\x1b[0 q' : '',
    modes.colours.undo(),
    plainScreen(),
  ].join('');
}

/** The program goes on. What the shell wrote stays on the normal screen, where the program draws what it likes. */
export function backFromShell(model: TerminalModel): string {
  const { modes } = model;
  const margins = marginSequence(model);
  return [
    model.screen === 'alternate'
      ? privateMode(1049, true) + leaveToAlternate(model)
      : margins && `\x1b7${margins}\x1b8`,
    modes.kitty ? '\x1b[<1u' : '',
    programModes(model),
    modes.isOn(pasteMarks) ? privateMode(pasteMarks, true) : '',
  ].join('');
}

/** At the end, and in the moment of a crash: the person's shell gets a usable terminal, whatever the child switched on. */
export function resetTerminal(model: TerminalModel, promptShown: boolean): string {
  const { modes } = model;
  const inputs = inputModes.filter((mode) => modes.isOn(mode) || mode === pasteMarks);
  return [
    ...inputs.map((mode) => privateMode(mode, false)),
    modes.isOn(syncOutput) ? privateMode(syncOutput, false) : '',
    promptShown && modes.kitty ? '\x1b[<1u' : '',
    // it puts the cursor into the corner
    modes.isOn(6) ? `${privateMode(6, false)}\x1b[r\x1b[999H` : '',
    promptShown || model.screen === 'alternate' ? privateMode(1049, false) : '',
    modes.kitty ? '\x1b[=0;1u' : '',
    modes.modifyOtherKeys === 0 ? '' : '\x1b[>4;0m',
    modes.margins ? '\x1b7\x1b[r\x1b8' : '',
    modes.cursorShaped ? '\x1b[0 q' : '',
    modes.colours.undo(),
    plainScreen(),
  ].join('');
}

function plainScreen(): string {
  return [
    '\x1b>\x1b[4l\x1b[20l\x1b(B\x0f\x1b]8;;\x1b\\\x1b[0m',
    ...[1, 5, 45, 69].map((mode) => privateMode(mode, false)),
    privateMode(7, true),
    privateMode(25, true),
  ].join('');
}

/** Margins and origin mode move the cursor, so they come before 1049 puts it back. */
function leaveToNormal(model: TerminalModel): string {
  const { modes } = model;
  return [
    '\x1b[0m\x1b[2J',
    marginSequence(model),
    modes.isOn(6) ? privateMode(6, true) : '',
    privateMode(1049, false),
    resaveCursor(model),
  ].join('');
}

/**
 * 1049 has overwritten the place where the program saved its cursor. Only the distance between that place and the
 * cursor is known: where on the terminal the program began is not.
 */
function resaveCursor(model: TerminalModel): string {
  const saved = model.modes.savedCursor('normal');
  if (!saved || model.modes.isOn(6)) return '';
  const { cursor } = model;
  const there = rows(saved.cursor.y - cursor.y) + column(saved.cursor.x);
  const back = rows(cursor.y - saved.cursor.y) + column(cursor.x);
  return `${there}${saved.sgr}\x1b7${back}`;
}

function leaveToAlternate(model: TerminalModel): string {
  const { modes, cursor } = model;
  const saved = modes.savedCursor('alternate');
  const top = modes.isOn(6) ? (modes.margins?.[0] ?? 1) - 1 : 0;
  return [
    model.paint(),
    saved ? `${at(saved.cursor.x, saved.cursor.y)}${saved.sgr}\x1b7` : '',
    marginSequence(model),
    modes.isOn(6) ? privateMode(6, true) : '',
    at(Math.min(cursor.x, model.columns - 1), cursor.y - top),
    // a cursor behind the last column can only be had by writing that column again
    cursor.x >= model.columns ? model.lastCharacter() : '',
  ].join('');
}

function marginSequence(model: TerminalModel): string {
  const { margins } = model.modes;
  return margins ? `\x1b[${margins[0]};${margins[1]}r` : '';
}

function privateMode(mode: number, on: boolean): string {
  return `\x1b[?${mode}${on ? 'h' : 'l'}`;
}

function at(x: number, y: number): string {
  return `\x1b[${y + 1};${x + 1}H`;
}

function rows(distance: number): string {
  if (distance === 0) return '';
  return distance > 0 ? `\x1b[${distance}B` : `\x1b[${-distance}A`;
}

function column(x: number): string {
  return `\x1b[${x + 1}G`;
}
