-- The register: who sent what, what each record says, the persons derived from the records, what people decided.
-- {{clustered}} is WITHOUT ROWID on SQLite and nothing on PostgreSQL; {{id}} is INTEGER on SQLite, which makes the key the
-- row's own address, and BIGINT on PostgreSQL. Days are days since 1970-01-01, instants µs UTC.

create table setting (
    name text not null primary key,
    value text not null
);

create table division (
    code {{id}} not null primary key,      -- 12 digits, zeros at the end
    level integer not null,                -- 1 province … 5 village
    name text not null,
    parent bigint
);

create table source (
    id integer not null primary key,       -- small, stable within a register
    feed text not null unique,
    title_zh text not null,
    title_en text not null,
    supplier_zh text not null,
    supplier_en text not null
);

create table batch (
    id {{id}} not null primary key,
    source_id integer not null,
    content_hash text not null,            -- SHA-256 of the file as it came
    file_name text not null,
    feed_version text not null,
    division bigint,
    rows_seen bigint not null,
    rows_bad bigint not null,
    records bigint not null,
    received_at bigint not null,
    as_of_day integer,                     -- day the department cut the file
    first_record bigint,
    last_record bigint
);
create unique index batch_content on batch (source_id, content_hash);

create table source_record (
    id {{id}} not null primary key,
    batch_id bigint not null,
    source_id integer not null,
    row_no bigint not null,                -- data row in the file, from 1
    role integer not null,                 -- kd_role
    name text,                             -- folded; null when only a placeholder stood there
    name_written text,                     -- as it stood, when that differs from name
    sex integer,
    birth_day integer,
    birth_kind integer,                    -- kd_date_kind when not a full day
    identity_number text,
    identity_kind integer,                 -- kd_identity_kind when not OK
    phone text,
    division bigint,                       -- residence, as deep as it could be read
    address text,
    hukou_division bigint,
    household_no text,
    household_relation text,               -- GB/T 4761
    ethnicity text,                        -- GB/T 3304
    marital_status text,                   -- GB/T 2261.2
    education text,                        -- GB/T 4658
    certificate_no text,                   -- birth certificate of the person
    handbook_no text,                      -- antenatal handbook
    birth_order integer,                   -- among multiples, from 1
    status text,                           -- active, cancelled, dead, moved_out, divorced
    death_day integer,
    event_day integer,                     -- what it is the day of stands in the feed's pack
    recorded_day integer                   -- when the department wrote it down
);

create table link_run (
    id {{id}} not null primary key,
    started_at bigint not null,
    seconds double precision not null,
    records bigint not null,
    persons bigint not null,
    merged bigint not null,
    split bigint not null,
    created bigint not null,
    model_name text not null,
    model text not null                    -- the trained model, so that every weight can be explained
);

create table person (
    id {{id}} not null primary key,
    state text not null,                   -- active, merged, retired
    merged_into bigint,
    name text,
    name_pinyin text,
    name_initials text,
    sex integer,
    birth_day integer,
    birth_kind integer,
    death_day integer,
    identity_number text,
    phone text,
    division bigint,
    address text,
    hukou_division bigint,
    household_no text,
    ethnicity text,
    marital_status text,
    education text,
    records integer not null,
    conflicts integer not null,            -- attributes on which the sources disagree
    version integer not null,
    changed_at bigint not null
);
create index person_name on person (name);
create index person_initials on person (name_initials);
create index person_division on person (division);

create table person_identifier (
    kind text not null,                    -- identity_number, certificate_no, handbook_no, phone
    value text not null,
    person_id bigint not null,
    primary key (kind, value, person_id)
) {{clustered}};

create table link (
    person_id bigint not null,
    source_record_id bigint not null,
    peer_record_id bigint not null,        -- record of the person with which its pair is strongest; itself when alone
    weight double precision not null,      -- bits of that pair
    decided integer not null,              -- 0 by the model, 1 by a person
    primary key (person_id, source_record_id)
) {{clustered}};

create table person_event (
    person_id bigint not null,
    id bigint not null,
    kind text not null,                    -- created, merged_into, merged_from, split_from, split_to, value, retired, restored
    at bigint not null,
    run_id bigint,
    other_id bigint,
    attribute text,
    old_value text,
    new_value text,
    decided_by text,
    primary key (person_id, id)
) {{clustered}};

create table family (
    id {{id}} not null primary key,
    kind text not null,                    -- couple, household
    division bigint,
    key text not null,                     -- what made it: household number of a source, or the two persons
    valid_from integer,
    valid_to integer
);

create table relation (
    person_id bigint not null,
    kind text not null,                    -- mother, father, child, spouse, household
    other_id bigint not null,              -- person; for household the family
    valid_from integer,
    valid_to integer,
    records integer not null,              -- how many source rows say so
    source_record_id bigint not null,      -- one that does
    is_chosen integer not null,
    primary key (person_id, kind, other_id)
) {{clustered}};

create table decision (
    id {{id}} not null primary key,
    kind text not null,                    -- value, same_person, different_person
    record_a bigint not null,              -- of the person meant
    record_b bigint,
    attribute text,
    value text,
    reason text,
    decided_by text not null,
    decided_at bigint not null,
    task_id bigint,
    undone_at bigint,
    undone_by text
);
create index decision_record on decision (record_a);

create table task (
    id {{id}} not null primary key,
    kind text not null,                    -- name of the check in the pack
    subject text not null,                 -- what makes it the same task in the next run
    state text not null,                   -- open, resolved, closed (no longer true)
    severity integer not null,
    person_id bigint not null,
    other_id bigint,
    record_a bigint,
    record_b bigint,
    attribute text,
    division bigint,                       -- township or village that can settle it
    role text not null,                    -- who there
    due_day integer not null,
    pack_version text not null,
    facts text not null,                   -- JSON: the values that disagree and their sources
    created_at bigint not null,
    resolved_at bigint,
    resolved_by text,
    answer text,
    note text
);
create unique index task_subject on task (kind, subject);
create index task_division on task (division, state);
create index task_person on task (person_id);
create index task_other on task (other_id);

create table correction (
    id {{id}} not null primary key,
    source_id integer not null,
    batch_id bigint not null,
    row_no bigint not null,
    source_record_id bigint not null,
    attribute text not null,
    wrong_value text,
    right_value text not null,
    decision_id bigint not null,
    created_at bigint not null,
    exported_at bigint
);
create unique index correction_once on correction (source_record_id, attribute, decision_id);
create index correction_source on correction (source_id, exported_at);
