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
INSERT INTO "attempts" VALUES('a-jqogtibjfubcwvjq','p-v7da4cwpdwkomg64','acme','p-v7da4cwpdwkomg64-13521100391b6731',1795660003660,1795660003669,'landed','117680374000254976',0,NULL);
INSERT INTO "attempts" VALUES('a-hlaizrquxmk3ebs5','p-c57itdpjv6yasjgk','beta','p-c57itdpjv6yasjgk-c5ff2b2400a8efa5',1795660004334,1795660004361,'landed','117680374045671424',0,NULL);
INSERT INTO "attempts" VALUES('a-6bihbpsz7bk7nnll','p-hnhxzaeydfpiwmww','beta','p-hnhxzaeydfpiwmww-76690d902701fed0',1795660018923,NULL,NULL,NULL,0,NULL);
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
INSERT INTO "freezes" VALUES('f-nrpumo5fwbjnhpj4','brand:acme','a golden freeze','root',1795660010298,2,'c022a5738e27b9a3',NULL,NULL,NULL);
CREATE TABLE journal (
    seq  bigint primary key,
    at   bigint not null,
    kind text not null,
    who  text not null,
    data text not null,
    prev text not null,
    hash text not null
);
INSERT INTO "journal" VALUES(1,1795660002087,'started','guardian','{"unclaimed": 0, "unknown": 0}','0000000000000000000000000000000000000000000000000000000000000000','1abbcd4d6002dfdacd5477c64a0869deee583df630b06f60fd43fb2993055093');
INSERT INTO "journal" VALUES(2,1795660003549,'entered','root','{"post": "p-v7da4cwpdwkomg64", "account": "acme"}','1abbcd4d6002dfdacd5477c64a0869deee583df630b06f60fd43fb2993055093','3fe34ebfe1a1281109acaf28781805d8df1e3f2f0fa9dbf351b86ee8cac1a53c');
INSERT INTO "journal" VALUES(3,1795660003669,'published','guardian','{"post": "p-v7da4cwpdwkomg64", "account": "acme", "platform_id": "117680374000254976", "url": "http://127.0.0.1:18473/@acme/117680374000254976", "found": false}','3fe34ebfe1a1281109acaf28781805d8df1e3f2f0fa9dbf351b86ee8cac1a53c','2f7ebf14e03becbad954581c6645363ebbcbff82cacf4aa54ef714acc4a8f57b');
INSERT INTO "journal" VALUES(4,1795660004296,'entered','root','{"post": "p-c57itdpjv6yasjgk", "account": "beta"}','2f7ebf14e03becbad954581c6645363ebbcbff82cacf4aa54ef714acc4a8f57b','4916f6378f19e36a2ac54e5f6242ec9312a4e94c6a3f2bcb604e215a87c2261a');
INSERT INTO "journal" VALUES(5,1795660004361,'published','guardian','{"post": "p-c57itdpjv6yasjgk", "account": "beta", "platform_id": "117680374045671424", "url": "http://127.0.0.1:18473/@beta/117680374045671424", "found": false}','4916f6378f19e36a2ac54e5f6242ec9312a4e94c6a3f2bcb604e215a87c2261a','153e1ed6751195ce9f084b60559e277c68930201b57adc2143cae19bd2cfaa02');
INSERT INTO "journal" VALUES(6,1795660004881,'entered','root','{"post": "p-6tfon2sswpyerzyt", "account": "acme"}','153e1ed6751195ce9f084b60559e277c68930201b57adc2143cae19bd2cfaa02','072743c0f65888f66dc0171ebdf71bd391f53cdb5f3e42cb7952b8f6c12fc72e');
INSERT INTO "journal" VALUES(7,1795660006014,'entered','root','{"post": "p-qwn3ffzeuucvasxb", "account": "acme"}','072743c0f65888f66dc0171ebdf71bd391f53cdb5f3e42cb7952b8f6c12fc72e','0d79e23a062edf568f945a51081f29b316f1e2b06a08f957ac1799b98caacf13');
INSERT INTO "journal" VALUES(8,1795660007003,'entered','root','{"post": "p-amz4tofbjjhstciu", "account": "acme"}','0d79e23a062edf568f945a51081f29b316f1e2b06a08f957ac1799b98caacf13','105526827d552a59e2db32a8aea4016f3f73b456afb92d911b57f14fe9786e4c');
INSERT INTO "journal" VALUES(9,1795660007825,'entered','root','{"post": "p-de63oudow4hkesrj", "account": "acme"}','105526827d552a59e2db32a8aea4016f3f73b456afb92d911b57f14fe9786e4c','a719c408d2d51b5ddcc53745bc9950f69d607baab555a2ed9ac0e97113c1c6dd');
INSERT INTO "journal" VALUES(10,1795660010366,'frozen','root','{"freeze": "f-nrpumo5fwbjnhpj4", "scope": "brand:acme", "reason": "a golden freeze", "epoch": 2}','a719c408d2d51b5ddcc53745bc9950f69d607baab555a2ed9ac0e97113c1c6dd','61b4605c7db126f2e2941e6d7622a729362553f272b8ffcca674cc12f9cd3595');
INSERT INTO "journal" VALUES(11,1795660011360,'entered','root','{"post": "p-btx7bqpnwpmnntdf", "account": "acme"}','61b4605c7db126f2e2941e6d7622a729362553f272b8ffcca674cc12f9cd3595','a179d751a56cbcd62b15bc8c73b0a6650605c189c085c1a74fec157483682300');
INSERT INTO "journal" VALUES(12,1795660012200,'missed','guardian','{"count": 1, "posts": ["p-btx7bqpnwpmnntdf"]}','a179d751a56cbcd62b15bc8c73b0a6650605c189c085c1a74fec157483682300','b18ece338b9cdb337da8ecf9ba7f0440f64a962bb61beef0c043f6b08ab01599');
INSERT INTO "journal" VALUES(13,1795660013777,'stopped','guardian','{}','b18ece338b9cdb337da8ecf9ba7f0440f64a962bb61beef0c043f6b08ab01599','d33b0511ee1d2c62ebe14ec7809fb06c10360cd50f7db3d894efc44cc6b6c387');
INSERT INTO "journal" VALUES(14,1795660017633,'started','guardian','{"unclaimed": 0, "unknown": 0}','d33b0511ee1d2c62ebe14ec7809fb06c10360cd50f7db3d894efc44cc6b6c387','02075a4f522303169879cbea18f12b9f36f8d32ee7e1aeb2cb9f23952907b7ac');
INSERT INTO "journal" VALUES(15,1795660018815,'entered','root','{"post": "p-hnhxzaeydfpiwmww", "account": "beta"}','02075a4f522303169879cbea18f12b9f36f8d32ee7e1aeb2cb9f23952907b7ac','2261f44d1e7adb0d79c510dec3fef70119c3ce6e639324148686e0a2b1c9ff8a');
CREATE TABLE migrations (number integer primary key, name text not null, applied_at bigint not null);
INSERT INTO "migrations" VALUES(1,'0001_house.sql',1795660002056);
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
    changed_at  bigint not null,
    check (state <> 'published' or platform_id is not null),     -- no false success (invariant I7)
    unique (account, ref)
);
INSERT INTO "posts" VALUES('p-v7da4cwpdwkomg64',1,'acme','published',1795660003549,1795660003549,NULL,'published by acme åäö 😀',NULL,NULL,NULL,'[]',NULL,'95600f41815c1dc8c371c75971aac9d41e101886c8f4274d8e954d8b444653d0',NULL,'117680374000254976','http://127.0.0.1:18473/@acme/117680374000254976',1795660003549,'root',1795660003669);
INSERT INTO "posts" VALUES('p-c57itdpjv6yasjgk',2,'beta','published',1795660004296,1795660004296,NULL,'published by beta åäö 😀',NULL,NULL,NULL,'[]',NULL,'da3b4c5041f08424c6021c60af7206f874215053a7c48df6c4de55cfded9f4cf',NULL,'117680374045671424','http://127.0.0.1:18473/@beta/117680374045671424',1795660004296,'root',1795660004361);
INSERT INTO "posts" VALUES('p-6tfon2sswpyerzyt',3,'acme','queued',1925280000000,1795660004881,'Europe/Stockholm','planned 0',NULL,NULL,NULL,'["launch"]','plan-0','0181bf7270cc3a7f98d57e1b6ef2bf7cd4c806885f098f21ff16a7c079e0ec5d',NULL,NULL,NULL,1795660004881,'root',1795660004881);
INSERT INTO "posts" VALUES('p-qwn3ffzeuucvasxb',4,'acme','queued',1925280000000,1795660006014,'Europe/Stockholm','planned 1',NULL,NULL,NULL,'["launch"]','plan-1','94d0ce899297088b91e99ab97057ff70b64b5a6fad031f85a651aff927834512',NULL,NULL,NULL,1795660006014,'root',1795660006014);
INSERT INTO "posts" VALUES('p-amz4tofbjjhstciu',5,'acme','queued',1925280000000,1795660007003,'Europe/Stockholm','planned 2',NULL,NULL,NULL,'["launch"]','plan-2','6fb37cd4e33d165ca40d16686a5e47ee2c4a5ec9f10162562d25b087759ec2c2',NULL,NULL,NULL,1795660007003,'root',1795660007003);
INSERT INTO "posts" VALUES('p-de63oudow4hkesrj',6,'acme','queued',1925280000000,1795660007825,'Europe/Stockholm','planned 3',NULL,NULL,NULL,'["launch"]','plan-3','0eaef3e0af2a8259b13bbd6125c8a0d76bfe758fc8ac73e2c6f0a6932d250ff8',NULL,NULL,NULL,1795660007825,'root',1795660007825);
INSERT INTO "posts" VALUES('p-btx7bqpnwpmnntdf',7,'acme','missed',1795660011360,1795660011360,NULL,'missed under the freeze',NULL,NULL,NULL,'[]',NULL,'221bc729526d133c8c8819953c6ad6826748b3c2f5e015cf1b074479547417a6','its time passed while a freeze covered it',NULL,NULL,1795660011360,'root',1795660012200);
INSERT INTO "posts" VALUES('p-hnhxzaeydfpiwmww',8,'beta','sending',1795660018815,1795660018815,NULL,'in the middle of a send',NULL,NULL,NULL,'[]',NULL,'6448944705accfd5fb0d8fdc7d1041d535242271d0fc674c915e8688f769ff54',NULL,NULL,NULL,1795660018815,'root',1795660018923);
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
