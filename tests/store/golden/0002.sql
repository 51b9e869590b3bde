BEGIN TRANSACTION;
CREATE TABLE attempts (
    id         text primary key,
    post       text not null references posts (id),
    account    text not null,
    key        text not null,                        -- the idempotency key, the same for every attempt of the same content
    started_at bigint not null,
    ended_at   bigint,
    outcome    text check (outcome in ('unsent', 'landed', 'refused', 'unknown', 'absent', 'cancelled')),
    detail     text,
    looks      integer not null default 0,           -- how often the platform was asked for it
    looked_at  bigint,
    check ((ended_at is null) = (outcome is null))
);
INSERT INTO "attempts" VALUES('a-ded5lo3eioho2ct5','p-mrpd43bkrafwglwn','acme','p-mrpd43bkrafwglwn-b098463cbd2ddeda',1795660026948,1795660026979,'landed','117680375526653952',0,NULL);
INSERT INTO "attempts" VALUES('a-aoxediatcmhmy6dl','p-zwqlvchbzkki7es6','beta','p-zwqlvchbzkki7es6-5c105b5dc24a1924',1795660027752,1795660027790,'landed','117680375581048832',0,NULL);
INSERT INTO "attempts" VALUES('a-pz2sqh6epafm66mt','p-ce335lfwx5jg7arf','beta','p-ce335lfwx5jg7arf-2b5ec2be37e52eca',1795660042834,NULL,NULL,NULL,0,NULL);
CREATE TABLE counts (                                -- posts by account and state, kept by the database itself
    account text not null,
    state   text not null,
    n       bigint not null,
    primary key (account, state)
);
INSERT INTO "counts" VALUES('acme','queued',4);
INSERT INTO "counts" VALUES('acme','claimed',0);
INSERT INTO "counts" VALUES('acme','sending',0);
INSERT INTO "counts" VALUES('acme','published',1);
INSERT INTO "counts" VALUES('beta','queued',0);
INSERT INTO "counts" VALUES('beta','claimed',0);
INSERT INTO "counts" VALUES('beta','sending',1);
INSERT INTO "counts" VALUES('beta','published',1);
INSERT INTO "counts" VALUES('acme','missed',1);
CREATE TABLE covers (                                -- which scopes cover which account: the configuration, at start
    account text not null,
    scope   text not null,
    primary key (account, scope)
);
INSERT INTO "covers" VALUES('acme','account:acme');
INSERT INTO "covers" VALUES('acme','all');
INSERT INTO "covers" VALUES('acme','brand:acme');
INSERT INTO "covers" VALUES('acme','platform:mastodon');
INSERT INTO "covers" VALUES('beta','account:beta');
INSERT INTO "covers" VALUES('beta','all');
INSERT INTO "covers" VALUES('beta','brand:beta');
INSERT INTO "covers" VALUES('beta','platform:mastodon');
CREATE TABLE freezes (
    id            text primary key,
    scope         text not null,
    reason        text not null,
    by_whom       text not null,
    at            bigint not null,
    epoch         bigint not null,
    mark          text,                              -- of the marker that it left beside the gate
    lifted_at     bigint,
    lifted_by     text,
    lifted_reason text
);
INSERT INTO "freezes" VALUES('f-dvzndsfdtioaeeq4','brand:acme','a golden freeze','root',1795660034472,2,'5eec95a7098d7ded',NULL,NULL,NULL);
CREATE TABLE journal (
    seq  bigint primary key,
    at   bigint not null,
    kind text not null,
    who  text not null,
    data text not null,
    prev text not null,
    hash text not null
);
INSERT INTO "journal" VALUES(1,1795660025498,'started','guardian','{"unclaimed": 0, "unknown": 0}','0000000000000000000000000000000000000000000000000000000000000000','be9a99a85b347d144bc126f8f1dac7292e296e44e51b3e2f4e87a73f37b684ac');
INSERT INTO "journal" VALUES(2,1795660025623,'clock_trusted','guardian','{"boot": "64491e8f-b4e7-4df7-b26a-1a9b7961609b", "offset": 1795632045551, "why": "it goes on as before"}','be9a99a85b347d144bc126f8f1dac7292e296e44e51b3e2f4e87a73f37b684ac','a6c5549fb5056e742a245521dfb6fd2d335ad3b456d85db350eb9a722e8fe2ee');
INSERT INTO "journal" VALUES(3,1795660026907,'entered','root','{"post": "p-mrpd43bkrafwglwn", "account": "acme"}','a6c5549fb5056e742a245521dfb6fd2d335ad3b456d85db350eb9a722e8fe2ee','69baecbb7062af7ab0a1199d4a175d66c657d9318467f8336551198214763e15');
INSERT INTO "journal" VALUES(4,1795660026979,'published','guardian','{"post": "p-mrpd43bkrafwglwn", "account": "acme", "platform_id": "117680375526653952", "url": "http://127.0.0.1:18473/@acme/117680375526653952", "found": false}','69baecbb7062af7ab0a1199d4a175d66c657d9318467f8336551198214763e15','26aafa91b43005a9bbe6d7aac0fcd16ae0662a5e17abcc25e23cb79c288450f3');
INSERT INTO "journal" VALUES(5,1795660027686,'entered','root','{"post": "p-zwqlvchbzkki7es6", "account": "beta"}','26aafa91b43005a9bbe6d7aac0fcd16ae0662a5e17abcc25e23cb79c288450f3','73150f7c56c153cf428a9f3fe1bfc3b7012e2f505ed7758b0d3724f485f9e12e');
INSERT INTO "journal" VALUES(6,1795660027790,'published','guardian','{"post": "p-zwqlvchbzkki7es6", "account": "beta", "platform_id": "117680375581048832", "url": "http://127.0.0.1:18473/@beta/117680375581048832", "found": false}','73150f7c56c153cf428a9f3fe1bfc3b7012e2f505ed7758b0d3724f485f9e12e','857a2ba5a6e53df002c889308d085d98033fca58e2296a1ea19547121777cb9c');
INSERT INTO "journal" VALUES(7,1795660028988,'entered','root','{"post": "p-hg2uk7nsh2q7dcdl", "account": "acme"}','857a2ba5a6e53df002c889308d085d98033fca58e2296a1ea19547121777cb9c','256c9cf52ee2a9fc1f3e3275ebbd2810f79757a6e16c9f47aba236a31f918cf3');
INSERT INTO "journal" VALUES(8,1795660030016,'entered','root','{"post": "p-kgwug4vfbcp36hb5", "account": "acme"}','256c9cf52ee2a9fc1f3e3275ebbd2810f79757a6e16c9f47aba236a31f918cf3','501763aa7134ab9d3c21d77d7e9ae3d2a52b7cacf6214a6b27c62f5ec6f64df7');
INSERT INTO "journal" VALUES(9,1795660031079,'entered','root','{"post": "p-sn7lnqangxumjvb3", "account": "acme"}','501763aa7134ab9d3c21d77d7e9ae3d2a52b7cacf6214a6b27c62f5ec6f64df7','cbfd8eb62ed3a5bd3c516898efb45efc186a3ea51fd1e734c36f1af1cf23ff6b');
INSERT INTO "journal" VALUES(10,1795660032080,'entered','root','{"post": "p-cx774xsexmtvbsnc", "account": "acme"}','cbfd8eb62ed3a5bd3c516898efb45efc186a3ea51fd1e734c36f1af1cf23ff6b','643403458f27b86b6cb0c03ed83bd0f72d6f2eb64590f6c69bb64da40684d856');
INSERT INTO "journal" VALUES(11,1795660034568,'frozen','root','{"freeze": "f-dvzndsfdtioaeeq4", "scope": "brand:acme", "reason": "a golden freeze", "epoch": 2}','643403458f27b86b6cb0c03ed83bd0f72d6f2eb64590f6c69bb64da40684d856','5d2588df20ff8db48b1c3c4de35f891913a2c001f15f8cc6f9ac787d7e858178');
INSERT INTO "journal" VALUES(12,1795660035563,'entered','root','{"post": "p-4ilajbt2oy4vtphs", "account": "acme"}','5d2588df20ff8db48b1c3c4de35f891913a2c001f15f8cc6f9ac787d7e858178','54e111f6a950bf253b3eda5324d0f9faff3a88f83e2706db47cb85e3ea8e2f1d');
INSERT INTO "journal" VALUES(13,1795660035723,'missed','guardian','{"count": 1, "posts": ["p-4ilajbt2oy4vtphs"]}','54e111f6a950bf253b3eda5324d0f9faff3a88f83e2706db47cb85e3ea8e2f1d','9a1f0282ed779237737746b306c583a6957f839aaa0ea09270504393984701b9');
INSERT INTO "journal" VALUES(14,1795660037894,'stopped','guardian','{}','9a1f0282ed779237737746b306c583a6957f839aaa0ea09270504393984701b9','1c0dcac71784cfb8bf4c05deb23be687f545db1c5e9aed24f4f594a35aba299d');
INSERT INTO "journal" VALUES(15,1795660041397,'started','guardian','{"unclaimed": 0, "unknown": 0}','1c0dcac71784cfb8bf4c05deb23be687f545db1c5e9aed24f4f594a35aba299d','008a252df2dd59f00e615cd77b35f3ff74a0413cb516093e3b9d4c52968daa07');
INSERT INTO "journal" VALUES(16,1795660042711,'entered','root','{"post": "p-ce335lfwx5jg7arf", "account": "beta"}','008a252df2dd59f00e615cd77b35f3ff74a0413cb516093e3b9d4c52968daa07','8177e23e23874a89b91cbb5382f7796d59cfa856f309a9137586aa5e561c6e95');
CREATE TABLE migrations (number integer primary key, name text not null, applied_at bigint not null);
INSERT INTO "migrations" VALUES(1,'0001_house.sql',1795660025294);
INSERT INTO "migrations" VALUES(2,'0002_seals.sql',1795660025294);
CREATE TABLE posts (
    id          text primary key,
    seq         bigint not null unique,              -- order of entry, decides between posts of the same time
    account     text not null,
    state       text not null check (state in ('queued', 'claimed', 'blocked', 'sending', 'unknown', 'missed', 'refused', 'published', 'retracting', 'retracted', 'cancelled')),
    at          bigint not null,                     -- when it is due
    entered_at  bigint not null,                     -- when a person last put it into the queue
    zone        text,
    text        text not null,
    warning     text,
    language    text,
    visibility  text,
    tags        text not null,
    ref         text,
    digest      text not null,                       -- of the content: the same ref with other content is an error
    why         text,                                -- why it is where it is, in words
    platform_id text,
    url         text,
    created_at  bigint not null,
    created_by  text not null,
    changed_at  bigint not null, seal text,
    check (state <> 'published' or platform_id is not null),     -- no false success (invariant I7)
    unique (account, ref)
);
INSERT INTO "posts" VALUES('p-mrpd43bkrafwglwn',1,'acme','published',1795660026907,1795660026907,NULL,'published by acme åäö 😀',NULL,NULL,NULL,'[]',NULL,'95600f41815c1dc8c371c75971aac9d41e101886c8f4274d8e954d8b444653d0',NULL,'117680375526653952','http://127.0.0.1:18473/@acme/117680375526653952',1795660026907,'root',1795660026979,'0262da001e5d4fb6f5ce890853c54e134c6b3a7710518ea2888d1af1cb2041af');
INSERT INTO "posts" VALUES('p-zwqlvchbzkki7es6',2,'beta','published',1795660027686,1795660027686,NULL,'published by beta åäö 😀',NULL,NULL,NULL,'[]',NULL,'da3b4c5041f08424c6021c60af7206f874215053a7c48df6c4de55cfded9f4cf',NULL,'117680375581048832','http://127.0.0.1:18473/@beta/117680375581048832',1795660027686,'root',1795660027790,'52c11e4ffe7d88fa5353e4e8a9202aa3601418d5f19df15d92f6c8e3b11a469b');
INSERT INTO "posts" VALUES('p-hg2uk7nsh2q7dcdl',3,'acme','queued',1925280000000,1795660028988,'Europe/Stockholm','planned 0',NULL,NULL,NULL,'["launch"]','plan-0','0181bf7270cc3a7f98d57e1b6ef2bf7cd4c806885f098f21ff16a7c079e0ec5d',NULL,NULL,NULL,1795660028988,'root',1795660028988,'d68ade2e8faec52a3cf7ea3552813be2dd17afcdd2f759596f2e6a2aa17d35cd');
INSERT INTO "posts" VALUES('p-kgwug4vfbcp36hb5',4,'acme','queued',1925280000000,1795660030016,'Europe/Stockholm','planned 1',NULL,NULL,NULL,'["launch"]','plan-1','94d0ce899297088b91e99ab97057ff70b64b5a6fad031f85a651aff927834512',NULL,NULL,NULL,1795660030016,'root',1795660030016,'ea45c72bad6d2a8ce28f4dec323f215df7fd0cc26f2ebbdeee101cec6bde1ddb');
INSERT INTO "posts" VALUES('p-sn7lnqangxumjvb3',5,'acme','queued',1925280000000,1795660031079,'Europe/Stockholm','planned 2',NULL,NULL,NULL,'["launch"]','plan-2','6fb37cd4e33d165ca40d16686a5e47ee2c4a5ec9f10162562d25b087759ec2c2',NULL,NULL,NULL,1795660031079,'root',1795660031079,'cd14799995a1147da551e943c9c47e055f483c02e92f2bceccd4f8239f3a43fb');
INSERT INTO "posts" VALUES('p-cx774xsexmtvbsnc',6,'acme','queued',1925280000000,1795660032080,'Europe/Stockholm','planned 3',NULL,NULL,NULL,'["launch"]','plan-3','0eaef3e0af2a8259b13bbd6125c8a0d76bfe758fc8ac73e2c6f0a6932d250ff8',NULL,NULL,NULL,1795660032080,'root',1795660032080,'c686b96b10cf5b74a54aa7167132e2a04ff1d6b8f8ee9b3972ccab329fec889a');
INSERT INTO "posts" VALUES('p-4ilajbt2oy4vtphs',7,'acme','missed',1795660035563,1795660035563,NULL,'missed under the freeze',NULL,NULL,NULL,'[]',NULL,'221bc729526d133c8c8819953c6ad6826748b3c2f5e015cf1b074479547417a6','its time passed while a freeze covered it',NULL,NULL,1795660035563,'root',1795660035723,'7c3b98fd385d7387a35d366c87ea0ac6f6e24275edc85b6a318b3bc2168a3c9e');
INSERT INTO "posts" VALUES('p-ce335lfwx5jg7arf',8,'beta','sending',1795660042711,1795660042711,NULL,'in the middle of a send',NULL,NULL,NULL,'[]',NULL,'6448944705accfd5fb0d8fdc7d1041d535242271d0fc674c915e8688f769ff54',NULL,NULL,NULL,1795660042711,'root',1795660042834,'156560b9d2e9196adba8732630fba3ddea53c3dd0675bb673871d8b08326440f');
CREATE TABLE scopes (
    scope     text primary key,
    epoch     bigint not null,                       -- +1 with every freeze and every thaw; a permit must be of this epoch
    lifted_at bigint not null default 0              -- when a freeze of it was last lifted
);
INSERT INTO "scopes" VALUES('account:acme',1,0);
INSERT INTO "scopes" VALUES('account:beta',1,0);
INSERT INTO "scopes" VALUES('all',1,0);
INSERT INTO "scopes" VALUES('brand:acme',2,0);
INSERT INTO "scopes" VALUES('brand:beta',1,0);
INSERT INTO "scopes" VALUES('platform:mastodon',1,0);
CREATE TABLE transitions (                           -- the law's table, for the database's own check
    was   text not null,
    event text not null,
    is_now text not null,
    primary key (was, event)
);
INSERT INTO "transitions" VALUES('queued','claim','claimed');
INSERT INTO "transitions" VALUES('queued','miss','missed');
INSERT INTO "transitions" VALUES('queued','reschedule','queued');
INSERT INTO "transitions" VALUES('queued','cancel','cancelled');
INSERT INTO "transitions" VALUES('claimed','unclaim','queued');
INSERT INTO "transitions" VALUES('claimed','block','blocked');
INSERT INTO "transitions" VALUES('claimed','intend','sending');
INSERT INTO "transitions" VALUES('blocked','mend','queued');
INSERT INTO "transitions" VALUES('blocked','miss','missed');
INSERT INTO "transitions" VALUES('blocked','reschedule','queued');
INSERT INTO "transitions" VALUES('blocked','cancel','cancelled');
INSERT INTO "transitions" VALUES('sending','unsent','queued');
INSERT INTO "transitions" VALUES('sending','landed','published');
INSERT INTO "transitions" VALUES('sending','refuse','refused');
INSERT INTO "transitions" VALUES('sending','lose','unknown');
INSERT INTO "transitions" VALUES('unknown','landed','published');
INSERT INTO "transitions" VALUES('unknown','absent','queued');
INSERT INTO "transitions" VALUES('unknown','cancel','cancelled');
INSERT INTO "transitions" VALUES('missed','release','queued');
INSERT INTO "transitions" VALUES('missed','reschedule','queued');
INSERT INTO "transitions" VALUES('missed','cancel','cancelled');
INSERT INTO "transitions" VALUES('refused','reschedule','queued');
INSERT INTO "transitions" VALUES('published','retract','retracting');
INSERT INTO "transitions" VALUES('retracting','gone','retracted');
INSERT INTO "transitions" VALUES('retracting','still there','published');
CREATE INDEX posts_due on posts (account, state, at, seq);
CREATE UNIQUE INDEX posts_platform_ids on posts (account, platform_id);
CREATE INDEX posts_by_state on posts (state, at);
CREATE UNIQUE INDEX attempts_open on attempts (post) where ended_at is null;
CREATE INDEX attempts_of_post on attempts (post, started_at);
CREATE INDEX attempts_of_account on attempts (account, started_at);
CREATE INDEX attempts_ended on attempts (ended_at);
CREATE INDEX freezes_in_force on freezes (scope) where lifted_at is null;
CREATE TRIGGER posts_move_by_the_law before update of state on posts
when new.state <> old.state
 and not exists (select 1 from transitions where was = old.state and is_now = new.state)
begin
    select raise(abort, 'illegal move of a post');
end;
CREATE TRIGGER posts_counted_in after insert on posts
begin
    insert into counts (account, state, n) values (new.account, new.state, 1)
    on conflict (account, state) do update set n = n + 1;
end;
CREATE TRIGGER posts_counted_on after update of state on posts when new.state <> old.state
begin
    update counts set n = n - 1 where account = old.account and state = old.state;
    insert into counts (account, state, n) values (new.account, new.state, 1)
    on conflict (account, state) do update set n = n + 1;
end;
CREATE TRIGGER posts_never_deleted before delete on posts begin select raise(abort, 'posts are never deleted'); end;
CREATE TRIGGER posts_never_replaced before insert on posts
when exists (select 1 from posts where id = new.id or seq = new.seq or (account = new.account and ref = new.ref))
begin
    select raise(abort, 'posts are never replaced');
end;
CREATE TRIGGER posts_keep_their_names before update of id, seq, account, ref on posts
when new.id <> old.id or new.seq <> old.seq or new.account <> old.account or new.ref is not old.ref
begin
    select raise(abort, 'posts are never renamed');
end;
CREATE TRIGGER journal_only_grows before insert on journal
when new.seq <> (select coalesce(max(seq), 0) + 1 from journal)
begin
    select raise(abort, 'the journal is append-only');
end;
CREATE TRIGGER journal_never_changed before update on journal begin select raise(abort, 'the journal is append-only'); end;
CREATE TRIGGER journal_never_deleted before delete on journal begin select raise(abort, 'the journal is append-only'); end;
COMMIT;
