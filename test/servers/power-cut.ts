import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from './at-exit.ts'
import { run, which } from './process.ts'
import type { RedisServer } from './redis.ts'

/** Notes after every fdatasync and fsync how long the file was that is now on disk. */
const SHIM = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
static int synced(const char *name, int fd) {
  struct stat before;
  fstat(fd, &before);
  int result = ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
  if (result != 0) return result;
  char link[64], path[4000], line[4100];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return result;
  path[length] = 0;
  int log = open(getenv("SLUICE_SYNCED"), O_WRONLY | O_APPEND | O_CREAT, 0666);
  int size = snprintf(line, sizeof line, "%lld %s\\n", (long long)before.st_size, path);
  if (write(log, line, size) != size) abort();
  close(log);
  return result;
}
int fdatasync(int fd) { return synced("fdatasync", fd); }
int fsync(int fd) { return synced("fsync", fd); }
`

/** Ends servers as a power cut does: with what was written to their files and not forced to disk. */
export interface PowerCut extends AsyncDisposable {
  /** Environment to start a server with. */
  readonly env: NodeJS.ProcessEnv
  /** How often something was forced to disk so far. */
  syncs(): Promise<number>
  /** Kills the server and cuts its append-only files to what was forced to disk. Returns the bytes lost. */
  cut(server: RedisServer): Promise<number>
}

/** Why there can be no power cut on this machine; empty where there can. */
export function powerCutProblem(): string {
  if (process.platform !== 'linux') return 'a power cut is simulated on Linux only'
  return which('cc') ? '' : 'a power cut needs a C compiler'
}

export async function preparePowerCut(): Promise<PowerCut> {
  const folder = await temporaryFolder('power-cut')
  const [source, library, log] = ['shim.c', 'shim.so', 'synced'].map((name) => join(folder.path, name))
  await writeFile(source, SHIM)
  await writeFile(log, '')
  await run('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'])
  const lines = async (): Promise<string[]> => (await readFile(log, 'utf8')).trim().split('\n')
  return {
    env: { LD_PRELOAD: library, SLUICE_SYNCED: log },
    syncs: async () => (await lines()).length,
    async cut(server) {
      await server.kill()
      const sizes = new Map<string, number>()
      for (const line of await lines()) {
        const space = line.indexOf(' ')
        sizes.set(line.slice(space + 1), Number(line.slice(0, space)))
      }
      const files = join(server.dir, 'appendonlydir')
      let lost = 0
      for (const name of await readdir(files)) {
        const path = join(files, name)
        const { size } = await stat(path)
        const kept = sizes.get(path) ?? (name.includes('.incr.') ? 0 : size)
        if (kept >= size) continue
        lost += size - kept
        await truncate(path, kept)
      }
      return lost
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}
