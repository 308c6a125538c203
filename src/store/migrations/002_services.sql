-- Who may see and do what and who did; births registered at the counter; what the console needs to find a person at once.

-- Finding a person as one types: a prefix, compared by bytes, within an area or everywhere. {{on_postgresql}} begins a statement
-- that SQLite, which compares so already, leaves out.
{{on_postgresql}} alter table person alter column name type text collate "C", alter column name_pinyin type text collate "C", alter column name_initials type text collate "C";
drop index person_name;
drop index person_initials;
drop index person_division;
-- by name everywhere or in a wide area, which the index itself tells; by place in a narrow one, the whole question in the index
create index person_by_name on person (name, division, id);
create index person_by_pinyin on person (name_pinyin, division, id);
create index person_by_initials on person (name_initials, division, id);
create index person_in_division on person (division, name, name_pinyin, name_initials, id);

create table account (
    id {{id}} not null primary key,
    login text not null unique,            -- lower case
    name text not null,
    phone text,
    is_system integer not null,
    is_active integer not null,
    password_hash text,                    -- Argon2id; null for a system
    must_change integer not null,
    failures integer not null,             -- in a row
    locked_until bigint,
    created_at bigint not null,
    last_seen_at bigint,
    version bigint not null
);

create table account_grant (
    account_id bigint not null,
    kind text not null,                    -- role, area
    value text not null,                   -- name of the role, code of the division ("0" is the whole register)
    granted_by bigint,
    granted_at bigint not null,
    primary key (account_id, kind, value)
) {{clustered}};

create table session (
    id {{id}} not null primary key,
    account_id bigint not null,
    secret_hash text not null,             -- SHA-256 of the cookie
    old_secret_hash text,                  -- the one before, good for a short while
    csrf_seed text not null,               -- its hash is the token the browser sends back
    created_at bigint not null,
    rotated_at bigint not null,
    seen_at bigint not null,
    expires_at bigint not null,
    ended_at bigint
);
create index session_secret on session (secret_hash);
create index session_old_secret on session (old_secret_hash);
create index session_account on session (account_id);

create table sign_in_failure (
    address text not null,
    at bigint not null,
    login text not null,
    primary key (address, at, login)
) {{clustered}};

create table token (
    id {{id}} not null primary key,
    account_id bigint not null,
    title text not null,
    scopes text not null,                  -- permissions by spaces
    secret_hash text not null,
    old_secret_hash text,
    old_until bigint,
    rate_per_minute integer not null,
    created_at bigint not null,
    expires_at bigint not null,
    last_used_at bigint,
    revoked_at bigint
);
create index token_secret on token (secret_hash);
create index token_old_secret on token (old_secret_hash);

-- append-only; hash = SHA-256 over the entry and the hash before it
create table audit (
    seq {{id}} not null primary key,       -- 1, 2, 3 … without a gap
    at bigint not null,
    account_id bigint,
    login text,
    role text,
    action text not null,
    purpose text,
    object text,
    person_id bigint,
    division bigint,
    is_allowed integer not null,
    request_id text,
    address text,
    detail text,
    hash text not null
);
create index audit_person on audit (person_id, seq);
create index audit_account on audit (account_id, seq);
create table audit_head (
    id integer not null primary key,       -- 1
    seq bigint not null,
    hash text not null,
    waiting bigint not null default 0,     -- the last entry that was taken over from beside an SQLite register,
    waiting_hash text                      -- and its hash there
);

-- an answer kept for the key its request carried, so that a repeated request is done once
create table idempotency (
    account_id bigint not null,
    key text not null,
    request_hash text not null,
    status integer not null,
    answer text not null,
    at bigint not null,
    primary key (account_id, key)
) {{clustered}};
create index idempotency_at on idempotency (at);

-- two people never work the same thing unaware
create table claim (
    object text not null primary key,      -- task/ID, match/ID, birth/ID
    account_id bigint not null,
    name text not null,
    until bigint not null
);

create table attachment (
    id {{id}} not null primary key,
    object text not null,                  -- task/ID
    content_hash text not null,            -- the file stands in the archive
    content_type text not null,
    bytes bigint not null,
    account_id bigint not null,
    at bigint not null
);
create index attachment_object on attachment (object);

-- one run of a workflow and what was done in it, step by step
create table case_file (
    id {{id}} not null primary key,
    kind text not null,                    -- birth_registration
    state text not null,                   -- draft, registered, corrected, cancelled
    number text,                           -- handbook number
    division bigint not null,              -- where it is handled
    person_id bigint,                      -- the child
    notice_record_id bigint,               -- hospital's record it began with
    facts text not null,                   -- JSON: the declaration as it stands
    search text,                           -- names in it, folded, for the list
    event_day integer,
    created_by bigint not null,
    created_at bigint not null,
    changed_at bigint not null,
    version bigint not null
);
create unique index case_number on case_file (number);
create index case_division on case_file (kind, division, state);
create index case_person on case_file (person_id);
create index case_notice on case_file (notice_record_id);
create index case_changed on case_file (kind, changed_at, id);
create index case_event on case_file (kind, state, event_day);

create table case_action (
    case_id bigint not null,
    id bigint not null,
    kind text not null,                    -- drafted, registered, corrected, cancelled, notified, answered, printed
    status text not null,                  -- requested, accepted, rejected
    transaction_id text not null,
    account_id bigint,
    role text,
    division bigint,
    done_at bigint not null,               -- clock of the one who did it
    received_at bigint not null,           -- clock of the server
    reason text,
    facts text,                            -- JSON
    primary key (case_id, id)
) {{clustered}};
create unique index case_action_once on case_action (case_id, transaction_id, kind);

-- a fixed, minimal message to an office that follows a registration
create table notice (
    id {{id}} not null primary key,
    case_id bigint not null,
    office text not null,                  -- household_registration, medical_insurance, immunisation
    state text not null,                   -- waiting, sent, accepted, rejected, withdrawn
    payload text not null,                 -- JSON, exactly as sent
    created_at bigint not null,
    sent_at bigint,
    answered_at bigint,
    answer text
);
create index notice_case on notice (case_id);
create index notice_state on notice (office, state, created_at);

-- doubtful pairs of the last link run, the most valuable to review first
create table match_review (
    id {{id}} not null primary key,
    record_a bigint not null,
    record_b bigint not null,
    person_a bigint not null,
    person_b bigint not null,
    division bigint,
    standing integer not null,             -- kd_standing: apart, together, held apart by two numbers
    weight double precision not null,      -- bits
    probability double precision not null,
    value double precision not null,       -- what an answer is worth: doubt times what hangs on it
    run_id bigint not null
);
create unique index match_review_pair on match_review (record_a, record_b);
create index match_review_value on match_review (value);
create index decision_task on decision (task_id); -- the task or the review it answers

-- open tasks of an area by kind, counted from the index alone
create index task_open on task (state, division, kind, role, due_day);

-- long work: what was begun, and how it ended
create table job (
    id {{id}} not null primary key,
    kind text not null,                    -- import, link, verify
    state text not null,                   -- waiting (also while it runs), done, failed, cancelled, interrupted
    account_id bigint,
    by_name text not null,
    division bigint not null,
    title_zh text not null,
    title_en text not null,
    made_at bigint not null,
    started_at bigint,
    ended_at bigint,
    stage text,                            -- where it ended
    done bigint not null default 0,
    total bigint not null default 0,
    result text,                           -- JSON
    problem_zh text,                       -- JSON: why it failed
    problem_en text
);
create index job_ended on job (ended_at);

-- counts that the overview shows, made by a link run
create table area_count (
    division bigint not null,
    kind text not null,
    key text not null,
    count bigint not null,
    primary key (division, kind, key)
) {{clustered}};

-- what people declare goes into the register at once, between two link runs
alter table source add column event_zh text; -- what a row of it tells of: shown in a person's life
alter table source add column event_en text;
alter table source_record add column institution text; -- where it was, as written: the hospital of a birth
alter table batch add column declared_by text;    -- who declared it; null for a file
alter table decision add column batch_id bigint;  -- of the declaration that it belongs to; kind withdrawn takes record_a out of the register
create index decision_other on decision (record_b);
create index link_decided on link (source_record_id) where decided = 1; -- declared records are
