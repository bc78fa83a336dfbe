-- Until here every model had two players in each layer, in the order of their numbers.
-- kinds and layers have an entry for each player of a model: of player p, which coalitions name, it is kinds[p + 1].
ALTER TABLE models ADD COLUMN layers INTEGER[];
UPDATE models SET layers = [p // 2 FOR p IN range(len(kinds))];
ALTER TABLE models ALTER COLUMN layers SET NOT NULL;
