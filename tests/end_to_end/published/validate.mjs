// Holds values against types that others publish: reads a list of {file, type, value} from standard
// input, and writes a list that has, for each of them, a list of what is wrong. What a type does not
// have is wrong, too.
import { readFileSync } from "node:fs";
import Ajv from "ajv";
import { createGenerator } from "ts-json-schema-generator";

const generators = new Map(), validators = new Map();

function kept(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}

function generatorOf(file) {
  const path = new URL(`node_modules/${file}`, import.meta.url).pathname;
  const tsconfig = new URL("tsconfig.json", import.meta.url).pathname;
  return kept(generators, file, () => createGenerator({ path, type: "*", tsconfig, skipTypeCheck: true }));
}

function validatorOf(file, type) {
  const ajv = () => new Ajv({ allErrors: true, strict: false });
  return kept(validators, `${file} ${type}`, () => ajv().compile(generatorOf(file).createSchema(type)));
}

const faults = JSON.parse(readFileSync(0, "utf8")).map(({ file, type, value }) => {
  const validate = validatorOf(file, type);
  return validate(value)
    ? []
    : validate.errors.map(
        ({ instancePath, message, params }) => `${type}${instancePath}: ${message} ${JSON.stringify(params)}`,
      );
});
console.log(JSON.stringify(faults));
