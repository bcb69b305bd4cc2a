-- What a text is looked for in, when nobody's name begins with it: one narrow index instead of every row.

CREATE INDEX directory_user_text ON directory_user (directory_pk, lower(
    substr(name_fold, 1, 100) || ' ' || substr(email_fold, 1, 100) || ' ' || substr(display_name, 1, 100) || ' ' ||
    substr(first_name, 1, 100) || ' ' || substr(last_name, 1, 100)))
    WHERE status <> 'removed';
