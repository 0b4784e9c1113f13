// Fetches the engines that prove the lake: two Trinos, Spark, pyiceberg, moto. Node built-ins only; run it again at any time.
// Promises: everything is kept outside the repository and fetched once; an engine that cannot run here is named with its reason,
// in the answer and in engines.json, and the suites of that engine are then skipped by name.
// Environment: TIDELAKE_ENGINES_DIR (default ~/.cache/tidelake/engines), TIDELAKE_ENGINES_REQUIRED=1 (what is missing is an error),
// JAVA17_HOME, JAVA25_HOME, JAVA_HOME, TIDELAKE_PYTHON.
// Source: https://maven.apache.org/plugins/maven-dependency-plugin/build-classpath-mojo.html ; https://docs.python.org/3/library/venv.html
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const home = path.resolve(
  process.env.TIDELAKE_ENGINES_DIR ?? path.join(homedir(), '.cache', 'tidelake', 'engines'),
);
const pythonMin = [3, 10];

/** Why an engine cannot be had on this computer. */
class Missing extends Error {}

/** What each engine is made of; `prepare` returns what its suite needs to start it. */
const engines = {
  'trino-406': () => trino('406', 17),
  'trino-483': () => trino('483', 25),
  spark: () => ({ java: javaHome(17), python: python(), jars: classpath('spark', []) }),
  pyiceberg: () => ({ python: python() }),
  moto: () => ({ python: python() }),
};

mkdirSync(home, { recursive: true });
const answer = {};
for (const [name, prepare] of Object.entries(engines)) {
  try {
    answer[name] = { ready: true, ...prepare() };
    console.error(`engines: ${name} is ready`);
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    answer[name] = { ready: false, reason: error.message };
    console.error(`engines: ${name} is skipped: ${error.message}`);
  }
}
writeFileSync(path.join(home, 'engines.json'), `${JSON.stringify(answer, null, 2)}\n`);
const missing = Object.values(answer).filter(({ ready }) => !ready).length;
if (missing > 0 && process.env.TIDELAKE_ENGINES_REQUIRED === '1') {
  console.error(`engines: ${missing} missing, and TIDELAKE_ENGINES_REQUIRED=1 asks for all`);
  process.exitCode = 1;
}

function trino(version, javaMajor) {
  const java = javaHome(javaMajor);
  return {
    java,
    classpath: classpath('trino', [`-Dtrino.version=${version}`], `trino-${version}`),
  };
}

/** The jars of a folder's pom.xml, fetched when they are not all there. */
function classpath(folder, properties, name = folder) {
  const pom = path.join(here, folder, 'pom.xml');
  const kept = path.join(home, `${name}.classpath`);
  const stamp = `${hash(pom)} ${properties.join(' ')}`;
  const [was, jars = ''] = existsSync(kept) ? readFileSync(kept, 'utf8').split('\n') : [];
  if (was === stamp && jars.split(path.delimiter).every((jar) => existsSync(jar))) return jars;
  if (run('mvn', ['--version']) === null) throw new Missing('Maven (mvn) is not on the path');
  const fresh = `${kept}.new`;
  console.error(`engines: fetching the jars of ${name}`);
  run(
    'mvn',
    [
      ...['-B', '-q', '-f', pom, `-Dmaven.repo.local=${path.join(home, 'maven')}`, ...properties],
      'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath',
      ...['-Dmdep.includeScope=runtime', `-Dmdep.outputFile=${fresh}`],
    ],
    'Maven could not fetch the jars',
  );
  const found = readFileSync(fresh, 'utf8').trim();
  writeFileSync(kept, `${stamp}\n${found}\n`);
  rmSync(fresh);
  return found;
}

/** The home of a JDK of one major version; newer ones do not run older engines, nor the other way round. */
function javaHome(major) {
  const folders = ['/usr/lib/jvm', '/opt', '/Library/Java/JavaVirtualMachines'];
  const candidates = [
    process.env[`JAVA${major}_HOME`],
    process.env.JAVA_HOME,
    ...folders.flatMap((folder) =>
      existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : [],
    ),
  ].flatMap((one) => (one === undefined ? [] : [one, path.join(one, 'Contents', 'Home')]));
  for (const candidate of candidates) {
    if (!existsSync(path.join(candidate, 'bin', 'javac'))) continue;
    if (majorOf(path.join(candidate, 'bin', 'java')) === major) return candidate;
  }
  if (majorOf('java') === major) {
    const settings = run('java', ['-XshowSettings:properties', '-version']) ?? '';
    const found = /java\.home = (.+)/.exec(settings)?.[1]?.trim();
    if (found !== undefined && existsSync(path.join(found, 'bin', 'javac'))) return found;
  }
  throw new Missing(
    `there is no JDK ${major} (JAVA${major}_HOME, JAVA_HOME, ${folders.join(', ')} and the path were looked at)`,
  );
}

function majorOf(java) {
  return Number(/version "(\d+)/.exec(run(java, ['-version']) ?? '')?.[1] ?? 0);
}

/** The python of a virtual environment with the pinned packages. */
function python() {
  const folder = path.join(home, 'python');
  const own = path.join(folder, 'bin', 'python');
  const list = path.join(here, 'python', 'requirements.txt');
  const stampFile = path.join(folder, '.installed');
  const stamp = hash(list);
  if (existsSync(own) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
    return own;
  }
  const system = systemPython();
  console.error('engines: installing the Python packages');
  rmSync(folder, { recursive: true, force: true });
  run(system, ['-m', 'venv', folder], 'the Python here cannot make a virtual environment');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  // PySpark comes as source and is built by setuptools.
  run(own, [...pip, 'setuptools==80.9.0', 'wheel==0.45.1'], 'pip could not install setuptools');
  run(own, [...pip, '--no-build-isolation', '-r', list], 'pip could not install the packages');
  writeFileSync(stampFile, stamp);
  return own;
}

function systemPython() {
  const named = process.env.TIDELAKE_PYTHON;
  for (const one of named === undefined ? ['python3', 'python3.11', 'python3.12'] : [named]) {
    const found = /Python (\d+)\.(\d+)/.exec(run(one, ['--version']) ?? '');
    if (found === null) continue;
    const [major, minor] = [Number(found[1]), Number(found[2])];
    if (major > pythonMin[0] || (major === pythonMin[0] && minor >= pythonMin[1])) return one;
  }
  throw new Missing(
    `there is no Python ${pythonMin.join('.')} or newer (TIDELAKE_PYTHON, python3)`,
  );
}

/** What a program printed; null when it is not there or failed. With `otherwise`, a failure is said with its last lines. */
function run(program, args, otherwise) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error === undefined && status === 0) return `${stdout}${stderr}`;
  if (otherwise === undefined) return null;
  const tail = error?.message ?? `${stdout}${stderr}`.trim().split('\n').slice(-6).join('\n');
  throw new Missing(`${otherwise}: ${tail}`);
}

function hash(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
