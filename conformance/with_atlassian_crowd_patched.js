// Everything that the npm package atlassian-crowd-patched can do.
const http = require('node:http');
const { promisify } = require('node:util');
const AtlassianCrowd = require('atlassian-crowd-patched');
const { SCENE, run, same, refused } = require('./report.js');

// It sends bodies that its headers do not announce (`attributes`, `removeAttribute`), as it could when each request had a
// connection of its own.
http.globalAgent = new http.Agent({ keepAlive: false });
const PASSWORD = SCENE.password;
// It puts names into addresses as they are: only such as need no encoding can be asked for.
const crowd = new AtlassianCrowd({ crowd: { base: `${SCENE.crowd}/` }, application: SCENE.writer });
const asked = (part, name) => promisify(crowd[part][name].bind(crowd[part]));
const user = (name, ...words) => asked('user', name)(...words);
const group = (name, ...words) => asked('groups', name)(...words);
const session = (name, ...words) => asked('session', name)(...words);
let token;

run([
  ['ping', async () => same(typeof (await promisify(crowd.ping.bind(crowd))()).name, 'string')],
  ['search', async () => {
    const found = await promisify(crowd.search.bind(crowd))('user', 'email=ann@example.org');
    same(found.users.map((one) => one.name), ['ann']);
  }],
  ['user.find, user.active', async () => {
    same((await user('find', 'ann'))['display-name'], 'Ann Archer');
    same([await user('active', 'ann'), await user('active', 'bob')], [true, false]);
    await refused(user('find', 'nobody'), 'USER_NOT_FOUND');
  }],
  ['user.authenticate', async () => {
    same((await user('authenticate', 'ann', PASSWORD)).name, 'ann');
    await refused(user('authenticate', 'ann', 'wrong'), 'INVALID_USER_AUTHENTICATION');
  }],
  ['user.groups', async () => same((await user('groups', 'ann')).sort(), ['Everybody', 'R&D crew'])],
  ['user.setAttributes, attributes, removeAttribute', async () => {
    await user('setAttributes', 'ann', 'badge', ['4', '2']);
    same((await user('attributes', 'ann')).badge.sort(), ['2', '4']);
    await user('removeAttribute', 'ann', 'badge');
    same('badge' in (await user('attributes', 'ann')), false);
  }],
  ['session.create, find, authenticate, destroy', async () => {
    token = await session('create', 'ann', PASSWORD, '192.0.2.7');
    same((await session('find', token)).user.name, 'ann');
    same((await session('authenticate', token, '192.0.2.7')).token, token);
    await refused(session('authenticate', token, '192.0.2.8'), 'INVALID_SSO_TOKEN');
    await session('destroy', token);
    await refused(session('find', token), 'INVALID_SSO_TOKEN');
  }],
  ['groups.find, active, directmembers, nestedmembers', async () => {
    same((await group('find', 'Everybody')).type, 'GROUP');
    same(await group('active', 'Everybody'), true);
    same(await group('directmembers', 'Everybody'), ['bob']);
    same((await group('nestedmembers', 'Everybody')).length, 3);
  }],
  ['groups.create, addmember, removemember, remove', async () => {
    await group('create', 'local', 'made here');
    await group('addmember', 'ann', 'local');
    same(await group('directmembers', 'local'), ['ann']);
    await group('removemember', 'ann', 'local');
    same(await group('directmembers', 'local'), []);
    await group('remove', 'local');
    await refused(group('find', 'local'), 'GROUP_NOT_FOUND');
  }],
  ['user.create', async () => {
    await user('create', 'Gast', 'Geber', 'Gast Geber', 'guest@example.org', 'guest', 'first password');
    same((await user('find', 'guest')).email, 'guest@example.org');
  }],
  ['user.changepassword, remove', async () => {
    await user('changepassword', 'guest', 'second password');
    same((await user('authenticate', 'guest', 'second password')).name, 'guest');
    await user('remove', 'guest');
    await refused(user('find', 'guest'), 'USER_NOT_FOUND');
  }],
]);
