-- What is kept. An outcome belongs to (model, document, coalition); a document belongs to a task with its prompt
-- settings, and to every data set it occurs in (members), under lm-eval's doc_id there.
CREATE TABLE meta (schema_version INTEGER NOT NULL);
CREATE SEQUENCE ids;
CREATE TABLE models (
    model INTEGER PRIMARY KEY DEFAULT nextval('ids'), fingerprint VARCHAR UNIQUE NOT NULL, name VARCHAR NOT NULL,
    source VARCHAR NOT NULL, revision VARCHAR, dtype VARCHAR NOT NULL, family VARCHAR NOT NULL, kinds VARCHAR[] NOT NULL
);
CREATE TABLE tasks (
    task INTEGER PRIMARY KEY DEFAULT nextval('ids'), fingerprint VARCHAR UNIQUE NOT NULL, name VARCHAR NOT NULL,
    version VARCHAR NOT NULL, num_fewshot INTEGER NOT NULL, chat_template BOOLEAN NOT NULL, output_type VARCHAR NOT NULL,
    mean_metrics VARCHAR[] NOT NULL, other_metrics VARCHAR[] NOT NULL
);
CREATE TABLE datasets (
    dataset INTEGER PRIMARY KEY DEFAULT nextval('ids'), task INTEGER NOT NULL, fingerprint VARCHAR NOT NULL,
    source VARCHAR NOT NULL, size INTEGER NOT NULL, UNIQUE (task, fingerprint)
);
CREATE TABLE documents (
    document INTEGER PRIMARY KEY DEFAULT nextval('ids'), task INTEGER NOT NULL, key VARCHAR NOT NULL,
    gold INTEGER[] NOT NULL, prompt VARCHAR NOT NULL, choices VARCHAR[] NOT NULL, UNIQUE (task, key)
);
-- Few-shot examples from elsewhere may render one doc_id in two ways: then it has two documents here.
CREATE TABLE members (
    dataset INTEGER NOT NULL, doc_id INTEGER NOT NULL, document INTEGER NOT NULL,
    PRIMARY KEY (dataset, doc_id, document)
);
CREATE TABLE coalitions (coalition INTEGER PRIMARY KEY DEFAULT nextval('ids'), removed INTEGER[] NOT NULL);
-- Times are UTC.
CREATE TABLE runs (
    run VARCHAR PRIMARY KEY, started TIMESTAMP NOT NULL, finished TIMESTAMP, state VARCHAR NOT NULL,
    command VARCHAR NOT NULL, config VARCHAR NOT NULL, versions VARCHAR NOT NULL, seed BIGINT NOT NULL
);
CREATE TABLE assignments (
    run VARCHAR NOT NULL, model INTEGER NOT NULL, dataset INTEGER NOT NULL, doc_ids INTEGER[] NOT NULL,
    coalitions INTEGER[] NOT NULL
);
-- No index: recording leaves out what is there by an anti-join, which millions of rows bear better.
-- more: further metrics that are means; other: those that are not, as given. Both JSON, where what JSON has no number
-- for is null in more and a text such as "-inf" in other.
CREATE TABLE outcomes (
    model INTEGER NOT NULL, document INTEGER NOT NULL, coalition INTEGER NOT NULL, run VARCHAR NOT NULL,
    logprobs DOUBLE[] NOT NULL, is_greedy BOOLEAN[] NOT NULL, acc DOUBLE, acc_norm DOUBLE, more VARCHAR, other VARCHAR
);
