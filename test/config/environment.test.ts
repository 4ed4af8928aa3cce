import { describe, expect, it } from 'vitest'
import type { Environment } from '../../src/config/environment.ts'
import { Source } from '../../src/config/source.ts'

function read(yaml: string, env: Environment = {}): unknown {
  const source = new Source('config.yaml', yaml, env)
  if (source.issues.length > 0) throw source.error()
  return source.value
}

describe('variables', () => {
  it('stand anywhere in a value, several times', () => {
    expect(read('a: http://${env:HOST}:${env:PORT}/', { HOST: 'es', PORT: '9200' })).toEqual({
      a: 'http://es:9200/',
    })
  })

  it('are written without "env:" as well', () => {
    expect(read('a: ${HOST}', { HOST: 'es' })).toEqual({ a: 'es' })
  })

  it('are found in lists, in quotes and in block text', () => {
    expect(read('a: ["${env:X}"]\nb: |\n  1 ${env:X}\n', { X: 'x' })).toEqual({ a: ['x'], b: '1 x\n' })
  })

  it('stay as they are in keys and comments', () => {
    expect(read('"${env:X}": 1 # ${env:Y}', { X: 'x' })).toEqual({ '${env:X}': 1 })
  })

  it.each([
    ['4317', 4317],
    ['-1.5e3', -1500],
    ['0x1F', 31],
    ['true', true],
    ['null', null],
    ['', null],
    ['~', null],
    ['5s', '5s'],
    ['1.2.3', '1.2.3'],
    ['yes', 'yes'],
    ['- a', '- a'],
    ['---', '---'],
    ['a: b', 'a: b'],
    ['a #b', 'a #b'],
    ['{"a": 1}', '{"a": 1}'],
    ['"quoted"', '"quoted"'],
    ['*alias', '*alias'],
  ])('take the type of their text %j, as an unquoted whole value', (text, value) => {
    expect(read('a: ${env:X}', { X: text })).toEqual({ a: value })
  })

  it('are always text in a quoted value', () => {
    expect(read(`a: "\${env:X}"\nb: '\${env:X}'`, { X: '4317' })).toEqual({ a: '4317', b: '4317' })
  })

  it('are always text as part of a value', () => {
    expect(read('a: ${env:X}${env:X}', { X: '1' })).toEqual({ a: '11' })
  })

  it('do not have their own text read for variables', () => {
    expect(read('a: ${env:X}', { X: '${env:SECRET}', SECRET: 's' })).toEqual({ a: '${env:SECRET}' })
  })

  it('are strings where the same name is a method of every object', () => {
    expect(() => read('a: ${toString}')).toThrow('environment variable toString is not set')
  })
})

describe('defaults', () => {
  it('stand in for a variable that is not set, or set to nothing', () => {
    expect(read('a: ${env:X:-4317}')).toEqual({ a: 4317 })
    expect(read('a: ${env:X:-4317}', { X: '' })).toEqual({ a: 4317 })
    expect(read('a: ${X:-4317}', { X: '1' })).toEqual({ a: 1 })
  })

  it('may be empty, hold colons, braces and variables', () => {
    expect(read('a: ${env:X:-}')).toEqual({ a: null })
    expect(read('a: ${env:X:-[::]:4317}')).toEqual({ a: '[::]:4317' })
    expect(read('a: ${env:X:-{service.name}/x}')).toEqual({ a: '{service.name}/x' })
    expect(read('a: ${env:X:-${env:Y:-y}}')).toEqual({ a: 'y' })
  })
})

describe('dollars', () => {
  it('are doubled to write "${" itself', () => {
    expect(read('a: $${env:X}')).toEqual({ a: '${env:X}' })
    expect(read('a: $$${env:X}', { X: '5' })).toEqual({ a: '$5' })
    expect(read('a: $$$${X}')).toEqual({ a: '$${X}' })
  })

  it('mean nothing without a brace', () => {
    expect(read('a: ^\\d+$\nb: $1 $$2')).toEqual({ a: '^\\d+$', b: '$1 $$2' })
  })
})

describe('a variable that cannot be replaced', () => {
  it('is reported at its value, all of them at once', () => {
    expect(() => read('a:\n  - b: ${env:ONE}\n  - x\nc: "${TWO} ${env:THREE}"')).toThrow(
      [
        'config.yaml:2:8: a[0].b: environment variable ONE is not set',
        'config.yaml:4:4: c: environment variable TWO is not set',
        'config.yaml:4:4: c: environment variable THREE is not set',
      ].join('\n'),
    )
  })

  it.each([
    ['${env:X', 'config.yaml:1:4: a: "${" has no "}"; write "$${" for a literal "${"'],
    [
      '${file:x}',
      'config.yaml:1:4: a: "${file:x}" is not of the form ${env:NAME}; write "$${" for a literal "${"',
    ],
    ['${}', 'config.yaml:1:4: a: "${}" is not of the form ${env:NAME}; write "$${" for a literal "${"'],
    ['${1}', 'config.yaml:1:4: a: "${1}" is not of the form ${env:NAME}; write "$${" for a literal "${"'],
  ])('is refused as %s', (value, message) => {
    expect(() => read(`a: ${value}`)).toThrow(message)
  })
})
