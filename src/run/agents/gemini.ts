import type { Agent } from './agent.js';

/** Gemini CLI. */
export const gemini: Agent = { programs: ['gemini', 'gemini-cli'], folders: ['.gemini'] };
