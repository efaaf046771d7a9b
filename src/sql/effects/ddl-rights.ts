/** Who may do what: GRANT, REVOKE, owners, roles, security labels. */
import type { Target } from '../facts.js';
import { as } from '../grammar/tree.js';
import type { Handlers } from './effect-walk.js';
import { objectTarget, roleTarget, roleTargets } from './objects.js';
import { settingTargets } from './settings.js';

export const rightsHandlers: Handlers = {
  SecLabelStmt(label, walk) {
    walk.command ||= 'SECURITY LABEL';
    walk.add('grant', { targets: [objectTarget(label.objtype, label.object)], detail: 'security label' });
  },

  GrantStmt(grant, walk) {
    walk.command ||= grant.is_grant === true ? 'GRANT' : 'REVOKE';
    const type = grant.targtype === 'ACL_TARGET_ALL_IN_SCHEMA' ? 'OBJECT_SCHEMA' : grant.objtype;
    const objects = (grant.objects ?? []).map((object) => objectTarget(type, object));
    const rights = (grant.privileges ?? []).flatMap((node) => as(node, 'AccessPriv')?.priv_name ?? []);
    walk.add('grant', {
      targets: [...objects, ...roleTargets(grant.grantees)],
      detail: rights.length > 0 ? rights.join(', ') : 'all',
    });
  },

  GrantRoleStmt(grant, walk) {
    walk.command ||= grant.is_grant === true ? 'GRANT ROLE' : 'REVOKE ROLE';
    const granted = (grant.granted_roles ?? []).flatMap((node): Target[] => {
      const name = as(node, 'AccessPriv')?.priv_name;
      return name === undefined ? [] : [{ type: 'role', name }];
    });
    walk.add('grant', { targets: [...granted, ...roleTargets(grant.grantee_roles)], detail: 'membership' });
  },

  AlterDefaultPrivilegesStmt(alter, walk) {
    walk.command ||= 'ALTER DEFAULT PRIVILEGES';
    walk.add('grant', { targets: roleTargets(alter.action?.grantees), detail: 'default privileges' });
  },

  DropOwnedStmt(drop, walk) {
    walk.command ||= 'DROP OWNED';
    walk.add('drop', {
      targets: roleTargets(drop.roles),
      bounded: false,
      everythingOwned: true,
      detail: 'everything owned',
    });
  },

  ReassignOwnedStmt(reassign, walk) {
    walk.command ||= 'REASSIGN OWNED';
    walk.add('grant', { targets: [...roleTargets(reassign.roles), roleTarget(reassign.newrole)], detail: 'owner' });
  },

  CreateRoleStmt(create, walk) {
    const word =
      create.stmt_type === 'ROLESTMT_USER' ? 'USER' : create.stmt_type === 'ROLESTMT_GROUP' ? 'GROUP' : 'ROLE';
    walk.command ||= `CREATE ${word}`;
    walk.add('role', { targets: [{ type: 'role', name: create.role ?? '' }] });
  },
  AlterRoleStmt(alter, walk) {
    walk.command ||= 'ALTER ROLE';
    walk.add('role', { targets: [roleTarget(alter.role)] });
  },
  AlterRoleSetStmt(alter, walk) {
    walk.command ||= 'ALTER ROLE';
    const role = alter.role === undefined ? { type: 'role' as const, name: 'all' } : roleTarget(alter.role);
    walk.add('role', { targets: [role, ...settingTargets(alter.setstmt)] });
  },
  DropRoleStmt(drop, walk) {
    walk.command ||= 'DROP ROLE';
    walk.add('role', { targets: roleTargets(drop.roles), detail: 'drop' });
  },
};
