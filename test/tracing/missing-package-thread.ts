/** Loaded first by the program under test: a package is not installed. */
import Module from 'node:module';

const resolver = Module as unknown as { _resolveFilename: (name: string, ...rest: unknown[]) => string };
const resolveFilename = resolver._resolveFilename.bind(resolver);
resolver._resolveFilename = (name, ...rest) => {
  if (name === '@opentelemetry/sdk-trace-base') throw new Error(`Cannot find module '${name}'`);
  return resolveFilename(name, ...rest);
};
