-- A user of a preview takes more than a kilobyte. In a table that is its own index most of each lay on a page apart, so that
-- four times as much was written as there was to say.

CREATE TABLE preview_item_rows (
    preview_pk BIGINT NOT NULL REFERENCES preview (pk),
    number BIGINT NOT NULL,
    -- The names before and after and at the identity provider, to search in.
    names_fold {text} NOT NULL,
    -- One bit for each operation.
    operations BIGINT NOT NULL,
    document {text} NOT NULL,
    PRIMARY KEY (preview_pk, number)
);
INSERT INTO preview_item_rows (preview_pk, number, names_fold, operations, document)
    SELECT preview_pk, number, names_fold, operations, document FROM preview_item;
DROP TABLE preview_item;
ALTER TABLE preview_item_rows RENAME TO preview_item;
