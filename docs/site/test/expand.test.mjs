// Fields that name another one get its attributes, as deep as a table goes.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {expand} from '../src/components/expand.mjs';

const field = (name, more = {}) => ({name, type: 'object', description: '', ...more});

// shape writes fields as names with those inside of them.
const shape = (fields) => fields.map((f) => f.name + (f.children ? `(${shape(f.children)})` : '')).join(' ');

test('attributes that repeat come back', () => {
  const leaf = [field('p'), field('q', {children: [field('r', {children: [field('s')]})]})];
  const fields = [
    field('a', {children: [field('x', {children: leaf}), field('b', {same: 'dotted.name'})]}),
    field('y', {same: 'a.x'}),
    field('dotted.name', {children: [field('k', {same: 'y'})]}),
    field('z', {same: 'y.q'}),
    field('lost', {same: 'nowhere'}),
  ];
  assert.equal(
    shape(expand(fields)),
    'a(x(p q(r)) b(k(p q))) y(p q(r(s))) dotted.name(k(p q(r))) z(r(s)) lost',
  );
});

test('a field inside of itself ends', () => {
  assert.equal(shape(expand([field('a', {children: [field('b', {same: 'a'})]})])), 'a(b(b(b)))');
});
