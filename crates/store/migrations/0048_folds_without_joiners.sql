-- Folds have no joiners of letters and emoji any more, so that names which differ in those only are the same name.
-- A name that would be another's stays as it is until it is written again.

UPDATE source_user SET user_name_fold =
    replace(replace(replace(user_name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
WHERE user_name_fold <>
    replace(replace(replace(user_name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
AND NOT EXISTS (SELECT 1 FROM source_user other
    WHERE other.connector_pk = source_user.connector_pk AND other.pk <> source_user.pk AND
    replace(replace(replace(other.user_name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '') =
    replace(replace(replace(source_user.user_name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), ''));

UPDATE source_group SET display_name_fold =
    replace(replace(replace(display_name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
WHERE display_name_fold <>
    replace(replace(replace(display_name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
AND NOT EXISTS (SELECT 1 FROM source_group other
    WHERE other.connector_pk = source_group.connector_pk AND other.pk <> source_group.pk AND
    replace(replace(replace(other.display_name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '') =
    replace(replace(replace(source_group.display_name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), ''));

UPDATE directory_user SET name_fold =
    replace(replace(replace(name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
WHERE name_fold <>
    replace(replace(replace(name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '') AND status <> 'removed'
AND NOT EXISTS (SELECT 1 FROM directory_user other
    WHERE other.directory_pk = directory_user.directory_pk AND other.pk <> directory_user.pk AND other.status <> 'removed' AND
    replace(replace(replace(other.name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '') =
    replace(replace(replace(directory_user.name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), ''));

UPDATE directory_group SET name_fold =
    replace(replace(replace(name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
WHERE name_fold <>
    replace(replace(replace(name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
AND NOT EXISTS (SELECT 1 FROM directory_group other
    WHERE other.directory_pk = directory_group.directory_pk AND other.pk <> directory_group.pk AND
    replace(replace(replace(other.name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '') =
    replace(replace(replace(directory_group.name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), ''));

UPDATE directory_user SET name_fold =
    replace(replace(replace(name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
WHERE status = 'removed' AND name_fold <>
    replace(replace(replace(name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '');

UPDATE source_user SET display_name_fold =
    replace(replace(replace(display_name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
WHERE display_name_fold <>
    replace(replace(replace(display_name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '');

UPDATE directory_user SET email_fold =
    replace(replace(replace(email_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
WHERE email_fold <>
    replace(replace(replace(email_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '');

UPDATE name_conflict SET name_fold =
    replace(replace(replace(name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
WHERE name_fold <>
    replace(replace(replace(name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '');

UPDATE hold SET user_fold =
    replace(replace(replace(user_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
WHERE user_fold <>
    replace(replace(replace(user_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '');

UPDATE hold SET group_fold =
    replace(replace(replace(group_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
WHERE group_fold <>
    replace(replace(replace(group_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '');

INSERT INTO source_email (connector_pk, value_fold, user_pk)
SELECT connector_pk,
    replace(replace(replace(value_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), ''),
    user_pk
FROM source_email WHERE value_fold <>
    replace(replace(replace(value_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
ON CONFLICT DO NOTHING;
DELETE FROM source_email WHERE value_fold <>
    replace(replace(replace(value_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '');

INSERT INTO former_name (directory_pk, name_fold, name, user_pk, manner, given_up)
SELECT directory_pk,
    replace(replace(replace(name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), ''),
    name,
    user_pk,
    manner,
    given_up
FROM former_name WHERE name_fold <>
    replace(replace(replace(name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '')
ON CONFLICT DO NOTHING;
DELETE FROM former_name WHERE name_fold <>
    replace(replace(replace(name_fold, {char}(8204), ''), {char}(8205), ''), {char}(65039), '');
