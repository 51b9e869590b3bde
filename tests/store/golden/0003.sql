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
    looked_at  bigint, part bigint not null default 0,
    check ((ended_at is null) = (outcome is null))
);
INSERT INTO "attempts" VALUES('a-iwakz4smriwgem5c','p-lrhezmhnkckv5l5l','acme','p-lrhezmhnkckv5l5l-9daaa9c83666e075',1795660251086,1795660251117,'landed','117680390215827456',0,NULL,0);
INSERT INTO "attempts" VALUES('a-w2ye4hovmq6g6i75','p-fiumot6prgsf2m2s','beta','p-fiumot6prgsf2m2s-c5f5c2b03f02dc9a',1795660252042,1795660252076,'landed','117680390279266304',0,NULL,0);
INSERT INTO "attempts" VALUES('a-htsa2pg34rwgnn73','p-ulw46oila4lfclyr','beta','p-ulw46oila4lfclyr-7e6db806646e2a24',1795660267978,NULL,NULL,NULL,0,NULL,0);
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
INSERT INTO "counts" VALUES('beta','queued',1);
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
INSERT INTO "freezes" VALUES('f-zvkwoxs7culqv2qk','brand:acme','a golden freeze','root',1795660258797,2,'76e35cd0e6b66bcd',NULL,NULL,NULL);
CREATE TABLE holds (                                 -- one row keeps back one post, or every post with a tag
    id        text primary key,
    post      text references posts (id),
    tag       text,                                  -- as JSON writes it, quotes and all: so it is found in posts.tags
    reason    text not null,
    by_whom   text not null,
    at        bigint not null,
    lifted_at bigint,
    lifted_by text,
    check ((post is null) <> (tag is null))
);
CREATE TABLE journal (
    seq  bigint primary key,
    at   bigint not null,
    kind text not null,
    who  text not null,
    data text not null,
    prev text not null,
    hash text not null
);
INSERT INTO "journal" VALUES(1,1795660248305,'started','guardian','{"unclaimed": 0, "unknown": 0}','0000000000000000000000000000000000000000000000000000000000000000','650e41d5ed7f359ea7c98f9dca83d39ae5cb544a831072f46fdc085e82eec872');
INSERT INTO "journal" VALUES(2,1795660248356,'clock_trusted','guardian','{"boot": "64491e8f-b4e7-4df7-b26a-1a9b7961609b", "offset": 1795632045551, "why": "it goes on as before"}','650e41d5ed7f359ea7c98f9dca83d39ae5cb544a831072f46fdc085e82eec872','5e6c69859e2f27c0386fa481f68f4a9274b52d10b62eeece1ecd1c43101c0bf8');
INSERT INTO "journal" VALUES(3,1795660251070,'entered','root','{"post": "p-lrhezmhnkckv5l5l", "account": "acme"}','5e6c69859e2f27c0386fa481f68f4a9274b52d10b62eeece1ecd1c43101c0bf8','144257f9daf710f7754812de27c8697c11d1e88e8c1d58e4de24fabee5b16b78');
INSERT INTO "journal" VALUES(4,1795660251117,'published','guardian','{"post": "p-lrhezmhnkckv5l5l", "account": "acme", "platform_id": "117680390215827456", "url": "http://127.0.0.1:18473/@acme/117680390215827456", "found": false}','144257f9daf710f7754812de27c8697c11d1e88e8c1d58e4de24fabee5b16b78','dd5e3d90ad1da8bd40430d5cdb3a1d54a2f85abdedd9b1ca12b4dac6a4312c1b');
INSERT INTO "journal" VALUES(5,1795660252029,'entered','root','{"post": "p-fiumot6prgsf2m2s", "account": "beta"}','dd5e3d90ad1da8bd40430d5cdb3a1d54a2f85abdedd9b1ca12b4dac6a4312c1b','a2e1279c4f3ff3aaa91780c0062134617250f48dbe7901559db9df4e83ed3b5e');
INSERT INTO "journal" VALUES(6,1795660252076,'published','guardian','{"post": "p-fiumot6prgsf2m2s", "account": "beta", "platform_id": "117680390279266304", "url": "http://127.0.0.1:18473/@beta/117680390279266304", "found": false}','a2e1279c4f3ff3aaa91780c0062134617250f48dbe7901559db9df4e83ed3b5e','ffa842aee8e7b07f98dd9e2b85bfc8b7528e9dfe970594dfba5c0932f9b2dc18');
INSERT INTO "journal" VALUES(7,1795660253145,'entered','root','{"post": "p-i65fr5uljp4lgpj4", "account": "acme"}','ffa842aee8e7b07f98dd9e2b85bfc8b7528e9dfe970594dfba5c0932f9b2dc18','e0f1db921aae0f5bac3034a7ef075810b8af6bf86213c048cd642b9f7b000744');
INSERT INTO "journal" VALUES(8,1795660254092,'entered','root','{"post": "p-exwzj42hbmsw2bra", "account": "acme"}','e0f1db921aae0f5bac3034a7ef075810b8af6bf86213c048cd642b9f7b000744','df680e345921feb5030082b2ae1a3d996d382f9084b6dae4c7197df1576c7366');
INSERT INTO "journal" VALUES(9,1795660254872,'entered','root','{"post": "p-rl3wqf3nvcljtm2u", "account": "acme"}','df680e345921feb5030082b2ae1a3d996d382f9084b6dae4c7197df1576c7366','2a38cbb9220004eb21dc39bd5416400179673ef67fe4a6adefa29990a14bd2a6');
INSERT INTO "journal" VALUES(10,1795660255619,'entered','root','{"post": "p-c5qkw2x2djwkjjtt", "account": "acme"}','2a38cbb9220004eb21dc39bd5416400179673ef67fe4a6adefa29990a14bd2a6','ac9e32e3bda2e835b861d57d38123e6328163aeb907fa374b759657ff3b7489e');
INSERT INTO "journal" VALUES(11,1795660256507,'entered','root','{"post": "p-es7rc23m76knaixx", "account": "beta"}','ac9e32e3bda2e835b861d57d38123e6328163aeb907fa374b759657ff3b7489e','535626c13f04f2797e4278494e6749bc385fc8e03f87285818ae16297e8e3b3c');
INSERT INTO "journal" VALUES(12,1795660258853,'frozen','root','{"freeze": "f-zvkwoxs7culqv2qk", "scope": "brand:acme", "reason": "a golden freeze", "epoch": 2}','535626c13f04f2797e4278494e6749bc385fc8e03f87285818ae16297e8e3b3c','25c3c3cd300e4105be1edb45bd887e9151e2d9cb847ae7b1d41aafe1ce1178e5');
INSERT INTO "journal" VALUES(13,1795660259710,'entered','root','{"post": "p-whllmjy5nncroxhl", "account": "acme"}','25c3c3cd300e4105be1edb45bd887e9151e2d9cb847ae7b1d41aafe1ce1178e5','30cb3d939b0936215ed10fd9163e4d98113d930b6364d3b45bf50ae1f61b0cd7');
INSERT INTO "journal" VALUES(14,1795660260530,'missed','guardian','{"count": 1, "posts": ["p-whllmjy5nncroxhl"]}','30cb3d939b0936215ed10fd9163e4d98113d930b6364d3b45bf50ae1f61b0cd7','6b53b469aa969f41770f4390a7a0ddbd644b452e2a15458f70b9072e8f920d21');
INSERT INTO "journal" VALUES(15,1795660262006,'stopped','guardian','{}','6b53b469aa969f41770f4390a7a0ddbd644b452e2a15458f70b9072e8f920d21','f6ff5a29ea0e1e515c688a3edbad1fa6d52ab99802f9b9cc46e97b2973902cf3');
INSERT INTO "journal" VALUES(16,1795660266620,'started','guardian','{"unclaimed": 0, "unknown": 0}','f6ff5a29ea0e1e515c688a3edbad1fa6d52ab99802f9b9cc46e97b2973902cf3','cdcdfd01c2cb8c812bb52894993a674288959ef1a724b351aef3e03c39889b67');
INSERT INTO "journal" VALUES(17,1795660267962,'entered','root','{"post": "p-ulw46oila4lfclyr", "account": "beta"}','cdcdfd01c2cb8c812bb52894993a674288959ef1a724b351aef3e03c39889b67','e0b3f5bd423a8537d7ba97468ad046645433ee67e534e984094ea88375aeca60');
CREATE TABLE media (                                 -- what lies in the spool
    sha256  text primary key,
    type    text not null,
    size    bigint not null,
    width   bigint,
    height  bigint,
    at      bigint not null,
    by_whom text not null
);
CREATE TABLE migrations (number integer primary key, name text not null, applied_at bigint not null);
INSERT INTO "migrations" VALUES(1,'0001_house.sql',1795660247762);
INSERT INTO "migrations" VALUES(2,'0002_seals.sql',1795660247762);
INSERT INTO "migrations" VALUES(3,'0003_everyday.sql',1795660247762);
CREATE TABLE parts (                                 -- parts of a thread that are live, but for the first: that is in posts
    post        text not null references posts (id),
    nr          bigint not null,
    account     text not null,
    platform_id text not null,
    url         text,
    landed_at   bigint not null,
    primary key (post, nr)
);
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
    changed_at  bigint not null, seal text, media text, tail text, parts bigint not null default 1, live bigint not null default 0, wall text,
    check (state <> 'published' or platform_id is not null),     -- no false success (invariant I7)
    unique (account, ref)
);
INSERT INTO "posts" VALUES('p-lrhezmhnkckv5l5l',1,'acme','published',1795660251070,1795660251070,NULL,'published by acme åäö 😀',NULL,NULL,NULL,'[]',NULL,'95600f41815c1dc8c371c75971aac9d41e101886c8f4274d8e954d8b444653d0',NULL,'117680390215827456','http://127.0.0.1:18473/@acme/117680390215827456',1795660251070,'root',1795660251117,'9cc0ef1c4ef733c35820f631dd361c9f96afde56409946f964f2c6bbad3d2fa7',NULL,NULL,1,1,NULL);
INSERT INTO "posts" VALUES('p-fiumot6prgsf2m2s',2,'beta','published',1795660252029,1795660252029,NULL,'published by beta åäö 😀',NULL,NULL,NULL,'[]',NULL,'da3b4c5041f08424c6021c60af7206f874215053a7c48df6c4de55cfded9f4cf',NULL,'117680390279266304','http://127.0.0.1:18473/@beta/117680390279266304',1795660252029,'root',1795660252076,'60a83d0dbc335b7371b778a26924409640dc657e36dd9096ea48b854ea9d0113',NULL,NULL,1,1,NULL);
INSERT INTO "posts" VALUES('p-i65fr5uljp4lgpj4',3,'acme','queued',1925280000000,1795660253145,'Europe/Stockholm','planned 0',NULL,NULL,NULL,'["launch"]','plan-0','0181bf7270cc3a7f98d57e1b6ef2bf7cd4c806885f098f21ff16a7c079e0ec5d',NULL,NULL,NULL,1795660253145,'root',1795660253145,'b45472edbb75c703189f86040ce16270287b32f6dca982eca412e79c4f0623d3',NULL,NULL,1,0,'2031-01-04T09:00:00');
INSERT INTO "posts" VALUES('p-exwzj42hbmsw2bra',4,'acme','queued',1925280000000,1795660254092,'Europe/Stockholm','planned 1',NULL,NULL,NULL,'["launch"]','plan-1','94d0ce899297088b91e99ab97057ff70b64b5a6fad031f85a651aff927834512',NULL,NULL,NULL,1795660254092,'root',1795660254092,'829bd7c865c06190c6d7630550fd44c3351f3b2d112c7fc832c9e81d63e78ccd',NULL,NULL,1,0,'2031-01-04T09:00:00');
INSERT INTO "posts" VALUES('p-rl3wqf3nvcljtm2u',5,'acme','queued',1925280000000,1795660254872,'Europe/Stockholm','planned 2',NULL,NULL,NULL,'["launch"]','plan-2','6fb37cd4e33d165ca40d16686a5e47ee2c4a5ec9f10162562d25b087759ec2c2',NULL,NULL,NULL,1795660254872,'root',1795660254872,'67d56d7b66a078307f87624f497a06c956c23c7ee63fed810ca8972876e0fb99',NULL,NULL,1,0,'2031-01-04T09:00:00');
INSERT INTO "posts" VALUES('p-c5qkw2x2djwkjjtt',6,'acme','queued',1925280000000,1795660255619,'Europe/Stockholm','planned 3',NULL,NULL,NULL,'["launch"]','plan-3','0eaef3e0af2a8259b13bbd6125c8a0d76bfe758fc8ac73e2c6f0a6932d250ff8',NULL,NULL,NULL,1795660255619,'root',1795660255619,'8b37fc70d193ca67ae4796cf82c35a48408de07bbf72ef01363271c804b1b147',NULL,NULL,1,0,'2031-01-04T09:00:00');
INSERT INTO "posts" VALUES('p-es7rc23m76knaixx',7,'beta','queued',1925280000000,1795660256507,'Europe/Stockholm','one',NULL,NULL,NULL,'["launch"]',NULL,'8e6545d56fd16aa01a5c1cf15400751285a83b32c39ac30e85683cff3ec2efc8',NULL,NULL,NULL,1795660256507,'root',1795660256507,'a6dafa3af514f1e421e061c5be83ca3599c4e48cac7c708b553c8d00aacb286d',NULL,'[{"text": "two", "media": []}]',2,0,'2031-01-04T09:00:00');
INSERT INTO "posts" VALUES('p-whllmjy5nncroxhl',8,'acme','missed',1795660259710,1795660259710,NULL,'missed under the freeze',NULL,NULL,NULL,'[]',NULL,'221bc729526d133c8c8819953c6ad6826748b3c2f5e015cf1b074479547417a6','its time passed while a freeze covered it',NULL,NULL,1795660259710,'root',1795660260530,'61c7b4ff1546d305ab124bc8486941c26afbe0a12135fb9bdc913b0f497a355c',NULL,NULL,1,0,NULL);
INSERT INTO "posts" VALUES('p-ulw46oila4lfclyr',9,'beta','sending',1795660267962,1795660267962,NULL,'in the middle of a send',NULL,NULL,NULL,'[]',NULL,'6448944705accfd5fb0d8fdc7d1041d535242271d0fc674c915e8688f769ff54',NULL,NULL,NULL,1795660267962,'root',1795660267978,'265293b3e2a345fe792c9e7bebc7de31816ff425eb4ee428e722aca4fd993062',NULL,NULL,1,0,NULL);
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
INSERT INTO "transitions" VALUES('sending','go on','queued');
INSERT INTO "transitions" VALUES('sending','refuse','refused');
INSERT INTO "transitions" VALUES('sending','lose','unknown');
INSERT INTO "transitions" VALUES('unknown','landed','published');
INSERT INTO "transitions" VALUES('unknown','go on','queued');
INSERT INTO "transitions" VALUES('unknown','absent','queued');
INSERT INTO "transitions" VALUES('unknown','cancel','cancelled');
INSERT INTO "transitions" VALUES('missed','release','queued');
INSERT INTO "transitions" VALUES('missed','reschedule','queued');
INSERT INTO "transitions" VALUES('missed','cancel','cancelled');
INSERT INTO "transitions" VALUES('refused','reschedule','queued');
INSERT INTO "transitions" VALUES('published','retract','retracting');
INSERT INTO "transitions" VALUES('retracting','gone','retracted');
INSERT INTO "transitions" VALUES('retracting','still there','published');
CREATE TABLE zones (                                 -- by which rules the wall times of a zone were computed
    zone        text primary key,
    fingerprint text not null
);
INSERT INTO "zones" VALUES('Europe/Stockholm','5e0a7819287cfa9cdd78978ff13436d235830d48f5ed1ebd87a4584db2d87768');
CREATE INDEX posts_due on posts (account, state, at, seq);
CREATE UNIQUE INDEX posts_platform_ids on posts (account, platform_id);
CREATE INDEX posts_by_state on posts (state, at);
CREATE UNIQUE INDEX attempts_open on attempts (post) where ended_at is null;
CREATE INDEX attempts_of_post on attempts (post, started_at);
CREATE INDEX attempts_of_account on attempts (account, started_at);
CREATE INDEX attempts_ended on attempts (ended_at);
CREATE INDEX freezes_in_force on freezes (scope) where lifted_at is null;
CREATE INDEX posts_half_sent on posts (account, at, seq) where live > 0 and live < parts;
CREATE UNIQUE INDEX parts_platform_ids on parts (account, platform_id);
CREATE UNIQUE INDEX holds_of_posts on holds (post) where lifted_at is null;
CREATE UNIQUE INDEX holds_of_tags on holds (tag) where lifted_at is null;
CREATE INDEX posts_by_wall on posts (zone, at, seq) where wall is not null and state in ('queued', 'blocked');
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
CREATE TRIGGER parts_never_changed before update on parts begin select raise(abort, 'live parts are never changed'); end;
CREATE TRIGGER parts_never_deleted before delete on parts begin select raise(abort, 'live parts are never forgotten'); end;
CREATE TRIGGER journal_only_grows before insert on journal
when new.seq <> (select coalesce(max(seq), 0) + 1 from journal)
begin
    select raise(abort, 'the journal is append-only');
end;
CREATE TRIGGER journal_never_changed before update on journal begin select raise(abort, 'the journal is append-only'); end;
CREATE TRIGGER journal_never_deleted before delete on journal begin select raise(abort, 'the journal is append-only'); end;
COMMIT;
