#!/usr/bin/env node
/** Where the process begins. */
import { runProgram } from './cli/program.ts';
import { processTerminal } from './cli/terminal.ts';

await runProgram(process.argv.slice(2), processTerminal);
