#!/usr/bin/env node
import { main } from './server/command.ts';

/** The server's entry: `node src/main.ts --name n1 …`. */
await main(process.argv.slice(2));
