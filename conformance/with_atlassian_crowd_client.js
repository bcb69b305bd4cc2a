// Everything that the npm package atlassian-crowd-client can do.
const CrowdClient = require('atlassian-crowd-client');
const Attributes = require('atlassian-crowd-client/lib/models/attributes');
const Group = require('atlassian-crowd-client/lib/models/group');
const User = require('atlassian-crowd-client/lib/models/user');
const ValidationFactors = require('atlassian-crowd-client/lib/models/validation-factors');
const { SCENE, run, same, refused } = require('./report.js');

const PASSWORD = SCENE.password;
const ZOE = "zoë.o'neil+x@example.org";
// The attributes of the directory are plain texts, not JSON as this client writes its own.
const plain = { attributesParser: (text) => text, attributesEncoder: (text) => text };
const client = (application) => new CrowdClient({ baseUrl: SCENE.crowd, application: SCENE[application], ...plain });
const writer = client('writer');
const reader = client('reader');
let token;

run([
  ['authentication.authenticate', async () => {
    same((await writer.authentication.authenticate('ann', PASSWORD)).displayname, 'Ann Archer');
    same((await writer.authentication.authenticate(ZOE, PASSWORD)).username, ZOE);
    await refused(writer.authentication.authenticate('ann', 'wrong'), 'INVALID_USER_AUTHENTICATION');
    await refused(writer.authentication.authenticate('bob', PASSWORD), 'INACTIVE_ACCOUNT');
    await refused(writer.authentication.authenticate('nobody', 'x'), 'USER_NOT_FOUND');
  }],
  ['an application with a wrong password', async () => {
    const stranger = new CrowdClient({ baseUrl: SCENE.crowd, application: { name: 'writer', password: 'wrong' } });
    await refused(stranger.user.get('ann'), 'APPLICATION_ACCESS_DENIED');
  }],
  ['user.get', async () => {
    const zoe = await writer.user.get(ZOE, true);
    same([zoe.firstname, zoe.lastname, zoe.active], ['Zoë', "O'Neil", true]);
    await refused(writer.user.get('nobody'), 'USER_NOT_FOUND');
  }],
  ['user.attributes.set, list, remove', async () => {
    same((await writer.user.attributes.set('ann', new Attributes({ badge: '42' }))).attributes.badge, '42');
    same((await writer.user.get('ann', true)).attributes.badge, '42');
    await writer.user.attributes.remove('ann', 'badge');
    same('badge' in (await writer.user.attributes.list('ann')).attributes, false);
  }],
  ['user.groups.get, list', async () => {
    same(await writer.user.groups.get('ann', 'r&d CREW'), 'R&D crew');
    same(await writer.user.groups.list('ann'), ['R&D crew']);
    same((await writer.user.groups.list('ann', true)).sort(), ['Everybody', 'R&D crew']);
    same(await writer.user.groups.list('ann', true, 1, 1), ['R&D crew']);
    await refused(writer.user.groups.get('ann', 'Everybody'), 'MEMBERSHIP_NOT_FOUND');
    same(await writer.user.groups.get('ann', 'Everybody', true), 'Everybody');
  }],
  ['group.get', async () => {
    same((await writer.group.get('R&D crew', true)).active, true);
    await refused(writer.group.get('nothing'), 'GROUP_NOT_FOUND');
  }],
  ['group.users.get, list', async () => {
    same(await writer.group.users.get('Everybody', 'ann', true), 'ann');
    same((await writer.group.users.list('R&D crew')).sort(), ['ann', ZOE]);
    same((await writer.group.users.list('R&D crew', false, 0, 10, true)).map((user) => user.lastname).sort(), ['Archer', "O'Neil"]);
  }],
  ['group.parents, group.children: get, list', async () => {
    same(await writer.group.parents.get('R&D crew', 'Everybody'), 'Everybody');
    same(await writer.group.parents.list('R&D crew', true), ['Everybody']);
    same((await writer.group.children.get('Everybody', 'R&D crew')).name, 'R&D crew');
    same(await writer.group.children.list('Everybody'), ['R&D crew']);
  }],
  ['group.membership', async () => {
    same(/<membership group="R&amp;D crew">/.test(await writer.group.membership()), true);
  }],
  ['search.user, search.group', async () => {
    same(await writer.search.user('email = "ann@*" and active = true'), ['ann']);
    same((await writer.search.user('name = ann', true))[0].email, 'ann@example.org');
    same(await writer.search.group('name = "r&d*"'), ['R&D crew']);
    same((await writer.search.group('name = "Everybody"', true))[0].active, true);
  }],
  ['session.create, getUser, validate', async () => {
    const factors = new ValidationFactors({ remote_address: '192.0.2.7' });
    const session = await writer.session.create('ann', PASSWORD, factors);
    token = session.token;
    same(session.expiresAt > session.createdAt, true);
    same((await writer.session.getUser(token)).username, 'ann');
    same((await writer.session.validate(token, factors)).token, token);
    const other = new ValidationFactors({ remote_address: '192.0.2.8' });
    await refused(writer.session.validate(token, other), 'INVALID_SSO_TOKEN');
    await refused(writer.session.create('ann', 'wrong', factors), 'INVALID_USER_AUTHENTICATION');
  }],
  ['session.createUnvalidated, removeAll, remove', async () => {
    const other = (await writer.session.createUnvalidated('ann', new ValidationFactors({ remote_address: '192.0.2.9' }))).token;
    await writer.session.removeAll('ann', token);
    await refused(writer.session.getUser(other), 'INVALID_SSO_TOKEN');
    same((await writer.session.getUser(token)).username, 'ann');
    await writer.session.remove(token);
    await refused(writer.session.getUser(token), 'INVALID_SSO_TOKEN');
  }],
  ['config.cookie', async () => same(typeof (await writer.config.cookie()).name, 'string')],
  ['user.create, update, rename', async () => {
    const guest = new User('Gast', 'Geber', 'Gast Geber', 'guest@example.org', 'guest', 'first password');
    same((await writer.user.create(guest)).username, 'guest');
    guest.firstname = 'Gustav';
    same((await writer.user.update('guest', guest)).firstname, 'Gustav');
    await writer.user.rename('guest', 'visitor');
    same((await writer.user.get('visitor')).email, 'guest@example.org');
  }],
  ['user.password.set', async () => {
    await writer.user.password.set('visitor', 'second password');
    same((await writer.authentication.authenticate('visitor', 'second password')).username, 'visitor');
  }],
  ['user.password.reset, user.username.request: no mail is sent from here', async () => {
    await refused(writer.user.password.reset('ann'), 'UNSUPPORTED_OPERATION');
    await refused(writer.user.username.request('ann@example.org'), 'UNSUPPORTED_OPERATION');
  }],
  ['group.create, update, attributes', async () => {
    same((await writer.group.create(new Group('local team', 'made here'))).description, 'made here');
    same((await writer.group.update('local team', new Group('local team', 'changed'))).description, 'changed');
    same((await writer.group.attributes.set('local team', new Attributes({ floor: '3' }))).attributes.floor, '3');
    await writer.group.attributes.remove('local team', 'floor');
    same((await writer.group.attributes.list('local team')).attributes, {});
  }],
  ['members: add and remove, from both sides', async () => {
    await writer.user.groups.add(ZOE, 'local team');
    await writer.group.users.add('local team', 'visitor');
    same((await writer.group.users.list('local team')).sort(), ['visitor', ZOE]);
    await writer.user.groups.remove('visitor', 'local team');
    await writer.group.users.remove('local team', ZOE);
    same(await writer.group.users.list('local team'), []);
  }],
  ['groups in groups: add and remove, from both sides', async () => {
    await writer.group.parents.add('R&D crew', 'local team');
    same(await writer.group.children.list('local team'), ['R&D crew']);
    await writer.group.children.remove('local team', 'R&D crew');
    await writer.group.children.add('local team', 'R&D crew');
    same((await writer.group.users.list('local team', true)).sort(), ['ann', ZOE]);
  }],
  ['group.remove, user.remove', async () => {
    await writer.group.remove('local team');
    await refused(writer.group.get('local team'), 'GROUP_NOT_FOUND');
    await writer.user.remove('visitor');
    await refused(writer.user.get('visitor'), 'USER_NOT_FOUND');
  }],
  ['what belongs to the identity provider stays as it is', async () => {
    await refused(writer.user.remove('ann'), 'APPLICATION_PERMISSION_DENIED');
    await refused(writer.group.remove('R&D crew'), 'APPLICATION_PERMISSION_DENIED');
    await refused(writer.user.groups.remove('ann', 'R&D crew'), 'APPLICATION_PERMISSION_DENIED');
  }],
  ['an application that may only read', async () => {
    same((await reader.user.get('ann')).username, 'ann');
    await refused(reader.group.create(new Group('no')), 'APPLICATION_PERMISSION_DENIED');
    await refused(reader.user.attributes.set('ann', new Attributes({ a: 'b' })), 'APPLICATION_PERMISSION_DENIED');
  }],
]);
