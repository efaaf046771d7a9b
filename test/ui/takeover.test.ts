import { test } from 'tap';
import { keptMax, type PromptSurface, Takeover } from '../../src/ui/takeover.js';
import { withoutWithheld } from '../../src/ui/withheld-sequences.js';
import { EmulatedOuter, emulator, picture, ScriptedChild } from './fake-terminals.js';

/** What a program draws before, and after, a prompt. The terminal must end as if no prompt had been there. */
interface Program {
  readonly before: string;
  readonly during?: string;
  readonly after: string;
  readonly size?: readonly [number, number];
}

const programs: Readonly<Record<string, Program>> = {
  'a shell': { before: 'one\r\ntwo\r\n$ ls', during: '\r\nfile\r\n$ ', after: 'echo\r\n' },
  'a shell at the bottom of the screen': {
    before: Array.from({ length: 40 }, (_, i) => `line ${i}\r\n`).join(''),
    during: 'more\r\n'.repeat(30),
    after: 'end',
  },
  'colours that go on': { before: '\x1b[1;3;38;5;208mbold ', during: 'orange ', after: '\x1b[48;2;1;2;3mboth' },
  'colours in colon form': { before: '\x1b[38:2::10:20:30m\x1b[4:3mwavy ', after: 'still' },
  'inline redraw, as agents do it': {
    before: 'prompt\r\n┌────┐\r\n│ hi │\r\n└────┘',
    during: '\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K\x1b[G┌─────┐\r\n│ ho! │\r\n└─────┘',
    after: '\x1b[2A\x1b[3Gx',
  },
  'a cursor saved by the program': { before: 'abc\r\ndef\x1b7\x1b[10;10Hfar', after: '\x1b8after' },
  'a scroll region': { before: '\x1b[3;8r\x1b[8;1Hbottom', during: '\r\nx\r\ny', after: '\r\nz\x1b[r' },
  'the alternate screen': {
    before: 'shell\r\n\x1b[?1049h\x1b[2J\x1b[5;5H\x1b[44mblue\x1b[0m\x1b[10;1Hstatus',
    during: '\x1b[6;6Hmore',
    after: '\x1b[?1049lback',
  },
  'the alternate screen with everything on': {
    before:
      '\x1b[?1049h\x1b[?1h\x1b=\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[?25l\x1b[2;9r\x1b[31mred\x1b[4;4Hx\x1b[4h',
    after: 'y',
  },
  'leaving the alternate screen during the prompt': {
    before: 'a\r\n\x1b[?1049hfull',
    during: '\x1b[?1049lb',
    after: 'c',
  },
  'entering it during the prompt': { before: 'a\r\n', during: '\x1b[?1049h\x1b[3;3Hin', after: '\x1b[?1049lout' },
  'wide characters': { before: '\x1b[?1049h漢字かな\r\n한국어 ééé', after: '\x1b[1;5Hx' },
  'emoji, redrawn in part': { before: '\x1b[?1049h\x1b[1;1H😀😀 ok 👍🏽 x\x1b[1;4H!', after: '\x1b[1;7HY' },
  'a cursor that waits to wrap': { before: `\x1b[?1049h${'x'.repeat(80)}`, after: 'y' },
  'an escape sequence cut in two': { before: 'a\x1b[3', during: '1mred', after: '\x1b[0m!' },
  'a character cut in two': { before: 'a\xe2\x82', during: '\xac', after: '.' },
  'a title cut in two': { before: 'a\x1b]0;tit', during: 'le\x07b', after: 'c' },
  'line drawing': { before: '\x1b(0lqqk\r\nx', during: 'x', after: '\x1b(B done' },
  'origin mode in a region': { before: '\x1b[?1049h\x1b[5;10r\x1b[?6h\x1b[2;3Hin', after: '\x1b[1;1Htop' },
  'no wrapping': { before: '\x1b[?7l', during: 'x'.repeat(100), after: 'y' },
};

for (const [name, program] of Object.entries(programs)) {
  test(`the screen is what the program would have drawn: ${name}`, async (t) => {
    const outer = new EmulatedOuter(80, 24);
    const child = new ScriptedChild();
    const takeover = new Takeover(outer, child);
    child.output(bytes(program.before));
    await takeover.show(async (surface) => {
      for (const part of program.during?.match(/.{1,3}/gs) ?? []) child.output(bytes(part));
      surface.write('\x1b[Hprompt \x1b[7mDELETE\x1b[0m\r\n'.repeat(5));
      const during = (await picture(outer.terminal)) as { screen: string; modes: { mouse: string; origin: boolean } };
      t.match(during, { screen: 'alternate', modes: { mouse: 'none', origin: false, insert: false } });
    });
    child.output(bytes(program.after));
    const drawn = await picture(outer.terminal);
    await takeover.finish(false);

    const alone = emulator(80, 24);
    for (const part of [program.before, program.during ?? '', program.after]) alone.write(bytes(part));
    t.strictSame(drawn, await picture(alone));
    const left = (await picture(outer.terminal)) as { screen: string; modes: object };
    t.match(
      left,
      { screen: 'normal', modes: { mouse: 'none', origin: false, insert: false, wrap: true } },
      'at the end',
    );
  });
}

test('every cut of a program’s output gives the same screen', async (t) => {
  const text = bytes('a\x1b[31mé漢\x1b]0;t\x1b\\\x1b[?1049h\x1b[2;2H\x1bP1$r\x1b\\b\x1b(0q\x1b(B\x1b[?1049lz');
  const alone = emulator(40, 10);
  alone.write(text);
  const wanted = await picture(alone);
  for (let cut = 0; cut <= text.length; cut++) {
    const outer = new EmulatedOuter(40, 10);
    const child = new ScriptedChild();
    const takeover = new Takeover(outer, child);
    child.output(text.subarray(0, cut));
    await takeover.show(async (surface) => surface.write('prompt'));
    child.output(text.subarray(cut));
    await takeover.finish(false);
    t.strictSame(await picture(outer.terminal), wanted, `cut at ${cut}`);
  }
});

test('a resize while the prompt is up reaches the child, the prompt and the screen', async (t) => {
  const outer = new EmulatedOuter(80, 24);
  const child = new ScriptedChild();
  const takeover = new Takeover(outer, child);
  child.output(bytes('\x1b[?1049h\x1b[2J\x1b[1;1Htop\x1b[20;1Hlow'));
  await takeover.show(async (surface) => {
    const told: string[] = [];
    surface.onResize((size) => told.push(`${size.columns}x${size.rows}`));
    outer.resize(60, 15);
    t.strictSame(told, ['60x15']);
  });
  t.strictSame(child.sizes, ['60x15']);
  // what a program does when its window changes
  child.output(bytes('\x1b[2J\x1b[1;1Htop\x1b[14;1Hlow'));
  const drawn = await picture(outer.terminal);
  await takeover.finish(false);
  const alone = emulator(60, 15);
  alone.write(bytes('\x1b[?1049h\x1b[2J\x1b[1;1Htop\x1b[14;1Hlow'));
  t.strictSame(drawn, await picture(alone));
});

test('emoji are two columns wide, marks none', async (t) => {
  const terminal = emulator(20, 2);
  await new Promise<void>((resolve) => terminal.write('😀e\u0301漢x', resolve));
  t.equal(terminal.buffer.active.cursorX, 6);
});

test('the keyboard belongs to the prompt, then to the child again', async (t) => {
  const outer = new EmulatedOuter(80, 24);
  const child = new ScriptedChild();
  const takeover = new Takeover(outer, child);
  outer.input(bytes('before'));
  let prompted = '';
  await takeover.show(async (surface: PromptSurface) => {
    surface.onInput((input) => {
      prompted += input.toString();
    });
    outer.input(bytes('during'));
    surface.toChild(bytes('\x1b[?62c'));
  });
  outer.input(bytes('after'));
  t.equal(child.heard, 'before\x1b[?62cafter');
  t.equal(prompted, 'during');
  await takeover.finish(false);
});

test('attack: a flood during the prompt is held back in the child, and nothing is lost', async (t) => {
  const outer = new EmulatedOuter(80, 24);
  const child = new ScriptedChild();
  const takeover = new Takeover(outer, child);
  const block = Buffer.alloc(64 * 1024, 'flood\r\n');
  let sent = 0;
  await takeover.show(async () => {
    const before = outer.bytes;
    while (!child.paused) {
      child.output(block);
      sent += block.length;
    }
    t.equal(outer.bytes, before, 'nothing of it reached the screen');
    t.ok(sent <= keptMax + 2 * block.length, `${sent} bytes kept`);
  });
  t.ok(outer.bytes >= sent, 'all of it came afterwards');
  await takeover.finish(false);
  t.equal(child.paused, false);
});

test('a slow terminal holds the child back', async (t) => {
  const outer = new EmulatedOuter(80, 24);
  const child = new ScriptedChild();
  const takeover = new Takeover(outer, child);
  outer.full = true;
  child.output(bytes('x'));
  t.equal(child.paused, true);
  outer.drain();
  t.equal(child.paused, false);
  await takeover.finish(false);
});

test('prompts come one after the other; one that fails gives the screen back', async (t) => {
  const outer = new EmulatedOuter(80, 24);
  const takeover = new Takeover(outer, new ScriptedChild());
  const order: string[] = [];
  const first = takeover.show(async () => {
    order.push('first in');
    await new Promise((resolve) => setTimeout(resolve, 5));
    order.push('first out');
    throw new Error('settled elsewhere');
  });
  const second = takeover.show(async () => {
    order.push('second in');
  });
  await t.rejects(first, /settled elsewhere/);
  await second;
  t.strictSame(order, ['first in', 'first out', 'second in']);
  t.match(await picture(outer.terminal), { screen: 'normal' });
  await takeover.finish(false);
});

test('attack: a process left behind gets no prompt after the child’s end', async (t) => {
  const outer = new EmulatedOuter(80, 24);
  const takeover = new Takeover(outer, new ScriptedChild());
  t.equal(takeover.open, true);
  await takeover.finish(false);
  t.equal(takeover.open, false);
  await t.rejects(
    takeover.show(async () => 'drawn'),
    /no longer ours/,
  );
});

test('a crash, or a child that was killed, leaves a usable terminal', async (t) => {
  const wild = bytes('\x1b[?1049h\x1b[?1003h\x1b[?1006h\x1b[?2004h\x1b[?1h\x1b=\x1b[?25l\x1b[>1u\x1b[31m\x1b[2;5r');
  for (const way of ['killed', 'crash', 'crash in prompt'] as const) {
    const outer = new EmulatedOuter(80, 24);
    const child = new ScriptedChild();
    const takeover = new Takeover(outer, child);
    child.output(wild);
    await picture(outer.terminal);
    if (way === 'killed') await takeover.finish(true);
    else if (way === 'crash') outer.terminal.write(outer.emergency());
    else {
      await takeover.show(async () => {
        await picture(outer.terminal);
        outer.terminal.write(outer.emergency());
        const { screen, modes } = (await picture(outer.terminal)) as { screen: string; modes: object };
        t.equal(screen, 'normal', way);
        t.match(modes, { mouse: 'none', bracketedPaste: false, applicationCursorKeys: false }, way);
      });
      continue;
    }
    const after = (await picture(outer.terminal)) as { screen: string; modes: object };
    t.equal(after.screen, 'normal', way);
    t.match(after.modes, { mouse: 'none', bracketedPaste: false, applicationCursorKeys: false, wrap: true }, way);
  }
});

/** What a program may do to a terminal, what undoes it for a prompt, and what puts it back. */
const disguises: Readonly<Record<string, readonly [does: string, undone: string, again?: string]>> = {
  'text in the colour of the ground': [
    '\x1b]10;#000\x07\x1b]11;#000\x07',
    '\x1b]110\x1b\\\x1b]111\x1b\\',
    '\x1b]10;#000\x1b\\\x1b]11;#000\x1b\\',
  ],
  'the palette': ['\x1b]4;1;red;15;rgb:0/0/0\x07', '\x1b]104;1\x1b\\\x1b]104;15\x1b\\', '\x1b]4;15;rgb:0/0/0\x1b\\'],
  'two colours at once': ['\x1b]10;red;blue\x07', '\x1b]111\x1b\\', '\x1b]11;blue\x1b\\'],
  'the cursor': ['\x1b]12;red\x1b\\', '\x1b]112\x1b\\', '\x1b]12;red\x1b\\'],
  'a screen in reverse': ['\x1b[?5h', '\x1b[?5l', '\x1b[?5h'],
  'margins left and right': ['\x1b[?69h\x1b[10;12s', '\x1b[?69l', '\x1b[?69h'],
  'line drawing in every set': ['\x1b(0\x1b)0\x1b*0\x1b+0\x0e', '\x1b(B\x1b)B\x1b*B\x1b+B\x0f', '\x1b(0'],
  'another encoding': ['\x1b%@', '\x1b%G'],
  inserting: ['\x1b[4h', '\x1b[4l', '\x1b[4h'],
  'a locked keyboard': ['\x1b[2h', '\x1b[2l'],
  'a printer instead of the screen': ['\x1b[5i', '\x1b[4i'],
  'a status line instead of the screen': ['\x1b[1$}', '\x1b[0$}'],
  'an icon instead of the window': ['\x1b[2t', '\x1b[1t'],
  'one long link': ['\x1b]8;;https://evil.example\x1b\\', '\x1b]8;;\x1b\\', '\x1b]8;;https://evil.example\x1b\\'],
  'what no erasure takes away': ['\x1b[1"q', '\x1b[0"q'],
  'a string that only the terminal sees': ['\xc2\x90q', '\x18\x1b\\'],
  'another backspace key': ['\x1b[?67h', '\x1b[?67l', '\x1b[?67h'],
  'reports of colours and sizes': ['\x1b[?2031h\x1b[?2048h', '\x1b[?2031l\x1b[?2048l', '\x1b[?2031h\x1b[?2048h'],
  'keys as Windows has them': ['\x1b[?9001h', '\x1b[?9001l', '\x1b[?9001h'],
};

for (const [name, [does, undone, again]] of Object.entries(disguises)) {
  test(`attack: a prompt is seen as it is, whatever the child did: ${name}`, async (t) => {
    const outer = new EmulatedOuter(80, 24);
    const child = new ScriptedChild();
    const takeover = new Takeover(outer, child);
    const heard: string[] = [];
    const write = outer.write.bind(outer);
    outer.write = (text) => {
      heard.push(text.toString());
      return write(text);
    };
    child.output(bytes(does));
    heard.length = 0;
    await takeover.show(async () => {
      t.ok(heard.join('').includes(undone), 'undone for the prompt');
      heard.length = 0;
    });
    if (again !== undefined) t.ok(heard.join('').includes(again), 'and put back for the program');
    heard.length = 0;
    await takeover.finish(false);
    if (again !== undefined && !again.startsWith('\x1b(')) {
      t.notOk(heard.join('').includes(again));
      t.ok(heard.join('').includes(undone), 'and gone at the end');
    }
  });
}

test('attack: what nobody could take back never reaches the terminal', async (t) => {
  const strings = [
    '50;nil2',
    '50;#1',
    '21;foreground=#000;background=#000',
    '21;foreground=#000',
    '1337;SetColors=fg=000',
  ];
  strings.push('1337;SetProfile=Evil', '1337;SetBackgroundImageFile=L2V2aWw=', `50;${'x'.repeat(70_000)}`);
  const osc = strings.flatMap((text) => [`\x1b]${text}\x07`, `\x1b]${text}\x1b\\`]);
  const colours = ['11;#000', '4;15;#000', '50;nil2', '1337;SetColors=fg=000'];
  const through = colours.flatMap((text) => [`\x1bP\x1b]${text}\x07\x1b\\`, `\x1bPtmux;\x1b\x1b]${text}\x07\x1b\\`]);
  const spelled = [
    '\x1b]050;nil2\x07',
    '\x1b\n]5\r0;nil2\x07',
    '\x1b]13\x0037;S\net\tColors=fg=000\x07',
    '\x1bP\x1b]0011;#000\x07',
  ];
  for (const does of [...osc, ...through, ...spelled, '\x1b]P0000000']) {
    for (const size of [1, 7, does.length]) {
      const { child, heard } = listening();
      for (let at = 0; at < does.length; at += size) child.output(bytes(does.slice(at, at + size)));
      child.output(bytes('\x1b[mafter'));
      const told = heard.join('');
      for (const start of ['50', '21', '1337', 'P', '11', '4', '\n', '0']) {
        t.notOk(told.includes(`\x1b]${start}`), JSON.stringify(does.slice(0, 60)));
      }
      t.ok(told.endsWith('after'));
      if (does.length > 1000) break;
    }
  }
  const harmless = [
    '\x1b]50;?\x07',
    '\x1b]21;foreground=?\x1b\\',
    '\x1b]1337;SetMark\x07',
    '\x1b]1337;File=inline=1:AAAA\x07',
  ];
  harmless.push(
    '\x1bP+q544e\x1b\\',
    '\x1bPq#0~\x1b\\',
    '\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\',
    '\x1b]52;c;YQ==\x07',
    '\x1b]133;A\x07',
  );
  for (const text of harmless) {
    const { child, heard } = listening();
    child.output(bytes(text));
    t.equal(heard.join(''), text, JSON.stringify(text));
  }
});

test('a long sequence costs no more than its length', (t) => {
  for (const start of [
    '\x1b',
    '\x1b]',
    '\x1b]0',
    '\x1b]5',
    '\x1b]13',
    '\x1b]1337;S',
    '\x1b]50;',
    '\x1bPtmux;\x1b',
    '\x1bP\x1b]1',
  ]) {
    for (const filler of ['\0', '0', '0\0', 'x', '\x1b', '\x1b]', '?;']) {
      // a backtracking of the square of that would not end in the time of a test
      const all = bytes(start + filler.repeat(60_000 / filler.length));
      t.ok(withoutWithheld(all).length <= all.length);
    }
  }
  t.end();
});

test('attack: a sequence that never ends does not swallow what the shell says after the run', async (t) => {
  for (const open of ['\x1bP$qm', '\x1b_never', '\x1b]0;never', '\x1bXnever', '\x1b[3', `\x1bP${'x'.repeat(70_000)}`]) {
    const { child, takeover, heard } = listening();
    child.output(bytes(`seen${open}`));
    await takeover.finish(false);
    const alone = emulator(80, 24);
    await new Promise<void>((resolve) => alone.write(`${heard.join('')}\r\n$ echo`, resolve));
    const rows = Array.from({ length: 24 }, (_, row) => alone.buffer.active.getLine(row)?.translateToString(true));
    t.ok(heard.join('').includes('\x18'), JSON.stringify(open.slice(0, 20)));
    t.ok(rows.includes('$ echo'), JSON.stringify(open.slice(0, 20)));
  }
  const { child, takeover, heard } = listening();
  child.output(bytes('whole \x1b[31mred\x1b[m'));
  await takeover.finish(false);
  t.notOk(heard.join('').includes('\x18'));
});

test('the cursor has its own shape again at the end', async (t) => {
  const { child, takeover, heard } = listening();
  child.output(bytes('\x1b[5 q'));
  await takeover.finish(false);
  t.ok(heard.join('').includes('\x1b[0 q'));
});

test('what the child did not change is left to the person’s own choice, and a quiet program leaves no trace', async (t) => {
  const outer = new EmulatedOuter(80, 24);
  const child = new ScriptedChild();
  const takeover = new Takeover(outer, child);
  let heard = '';
  const write = outer.write.bind(outer);
  outer.write = (text) => {
    heard += text.toString();
    return write(text);
  };
  const own = '\x1b]11;?\x07\x1b[31mred\x1b[0m\x1b]4;3;blue\x07\x1b]104\x07\x1b]11;\x18\x1b[2;3Hx';
  child.output(bytes(own));
  await takeover.show(async () => undefined);
  heard = heard.replace(own, '');
  for (const undo of ['104', '110', '111', '112']) t.notOk(heard.includes(`\x1b]${undo}`), undo);
  heard = '';
  await takeover.finish(false);
  t.equal(heard, '');
});

test('the title of the window is the person’s again', async (t) => {
  const outer = new EmulatedOuter(80, 24);
  const child = new ScriptedChild();
  const takeover = new Takeover(outer, child);
  const heard: string[] = [];
  outer.write = (text) => heard.push(text.toString()) > 0;
  child.output(bytes('\x1b]0;PRODUCTION approve?\x07'));
  child.output(bytes('\x1b]2;again\x07'));
  await takeover.finish(false);
  t.ok(heard.join('').startsWith('\x1b[22;0t\x1b]0;'), 'kept before the first of them');
  t.ok(heard.join('').endsWith('again\x07\x1b[23;0t'), 'and back at the end');
});

test('words in the title disturb nothing, and stay in front of what the child calls it', async (t) => {
  const outer = new EmulatedOuter(80, 24);
  const child = new ScriptedChild();
  const takeover = new Takeover(outer, child);
  const titles: string[] = [];
  outer.terminal.onTitleChange((title) => titles.push(title));
  const alone = emulator(80, 24);
  const draw = async (text: string) => {
    child.output(bytes(text));
    alone.write(bytes(text));
    await picture(outer.terminal);
  };
  await draw('\x1b[?1049h\x1b[5;5Hfull\x1b[3');
  takeover.words('14 min as shop_writer');
  await draw('1mred');
  t.strictSame(await picture(outer.terminal), await picture(alone));
  t.strictSame(titles, ['14 min as shop_writer'], 'before the child has said anything');
  await draw('\x1b]0;psql\x07');
  t.equal(titles.at(-1), '14 min as shop_writer | psql');
  await takeover.show(async () => takeover.words('13 min as shop_writer'));
  await draw(`\x1bP${'x'.repeat(70_000)}`);
  takeover.words('12 min as shop_writer');
  await draw('y\x1b\\more');
  t.equal(titles.at(-1), '12 min as shop_writer | psql', 'a sequence of the child’s is never cut');
  t.strictSame(await picture(outer.terminal), await picture(alone));
  takeover.words('');
  await picture(outer.terminal);
  t.equal(titles.at(-1), 'psql');
  takeover.words('1 min as shop_writer');
  await draw('\x1b[22;0t\x1b]2;editor\x07');
  takeover.words('');
  await draw('\x1b[23;0t');
  t.equal(titles.at(-1), 'psql', 'nor does the child bring back words that are over');
  await takeover.finish(false);
});

/** A takeover, and all that its terminal is told. */
function listening() {
  const outer = new EmulatedOuter(80, 24);
  const child = new ScriptedChild();
  const takeover = new Takeover(outer, child);
  const heard: string[] = [];
  outer.write = (text) => heard.push(text.toString()) > 0;
  return { child, takeover, heard };
}

function bytes(text: string): Buffer {
  // bytes above 0x7f written as \x.. stay bytes; everything else is UTF-8
  return /[^\0-\xff]/.test(text) || !/[\x80-\xff]/.test(text) ? Buffer.from(text) : Buffer.from(text, 'latin1');
}
