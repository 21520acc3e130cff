// validate_manifests.mjs: checks Kubernetes objects, a JSON list on standard input, against the schemas of the npm package kubernetes-models,
// which lies in the working directory's node_modules. Prints one line for each fault; unknown fields are faults.
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';

const require = createRequire(process.cwd() + '/');
const folders = {v1: 'v1', 'apps/v1': 'apps/v1'};
let faults = 0;
for (const object of JSON.parse(readFileSync(0, 'utf8'))) {
  const where = `${object.kind} ${object.metadata?.name}`;
  const Model = require(`kubernetes-models/${folders[object.apiVersion]}`)[object.kind];
  try {
    const model = new Model(object);
    model.validate();
  } catch (error) {
    faults++;
    console.log(`${where}: ${error.message}`);
  }
}
process.exit(faults ? 1 : 0);
