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
INSERT INTO "attempts" VALUES('a-appq2xydfrudwj7a','p-rsf6ivyh42fhbv2n','acme','p-rsf6ivyh42fhbv2n-9c9326a7e886affe',1795660070330,1795660070338,'landed','117680378369474560',0,NULL,0);
INSERT INTO "attempts" VALUES('a-f7w5xscpacbh6lov','p-hj7d66cl5i34mjny','beta','p-hj7d66cl5i34mjny-e6a55b784ca2ae95',1795660071906,1795660071950,'landed','117680378474856448',0,NULL,0);
INSERT INTO "attempts" VALUES('a-cfgwerl6ltaycdhv','p-dvf5pdoflyrax24y','beta','p-dvf5pdoflyrax24y-360f99b384abfba0',1795660089832,NULL,NULL,NULL,0,NULL,0);
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
INSERT INTO "freezes" VALUES('f-uinjunqiv75cbmtx','brand:acme','a golden freeze','root',1795660080678,2,'78bae89973a6aac4',NULL,NULL,NULL);
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
INSERT INTO "holds" VALUES('h-ipo4wmfoatqrpkbc',NULL,'"launch"','the date moves','root',1795660078455,NULL,NULL);
CREATE TABLE journal (
    seq  bigint primary key,
    at   bigint not null,
    kind text not null,
    who  text not null,
    data text not null,
    prev text not null,
    hash text not null
);
INSERT INTO "journal" VALUES(1,1795660068750,'started','guardian','{"unclaimed": 0, "unknown": 0}','0000000000000000000000000000000000000000000000000000000000000000','8c5827646759c4a7b2b2407facb52f0d4111b6e6cce08315fed4ab0f7486a3bc');
INSERT INTO "journal" VALUES(2,1795660068774,'clock_trusted','guardian','{"boot": "64491e8f-b4e7-4df7-b26a-1a9b7961609b", "offset": 1795632045551, "why": "it goes on as before"}','8c5827646759c4a7b2b2407facb52f0d4111b6e6cce08315fed4ab0f7486a3bc','f505e5c80e815e2165140b9053f961ab6a71af632262a90e63c43e7870e48f50');
INSERT INTO "journal" VALUES(3,1795660070319,'entered','root','{"post": "p-rsf6ivyh42fhbv2n", "account": "acme"}','f505e5c80e815e2165140b9053f961ab6a71af632262a90e63c43e7870e48f50','784b79ea544b65aa425df60c67d7097677918f0bc06949522f001cd2faec65ca');
INSERT INTO "journal" VALUES(4,1795660070338,'published','guardian','{"post": "p-rsf6ivyh42fhbv2n", "account": "acme", "platform_id": "117680378369474560", "url": "http://127.0.0.1:18473/@acme/117680378369474560", "found": false}','784b79ea544b65aa425df60c67d7097677918f0bc06949522f001cd2faec65ca','fcc81a38c990b099758aa1fc38b2ac9fdb206d03a593407691e3cda96c163c6f');
INSERT INTO "journal" VALUES(5,1795660071867,'entered','root','{"post": "p-hj7d66cl5i34mjny", "account": "beta"}','fcc81a38c990b099758aa1fc38b2ac9fdb206d03a593407691e3cda96c163c6f','bbac0791b9be87de093fe5fe99edd97508f79e9d252d077306d5f83eab9cb87c');
INSERT INTO "journal" VALUES(6,1795660071950,'published','guardian','{"post": "p-hj7d66cl5i34mjny", "account": "beta", "platform_id": "117680378474856448", "url": "http://127.0.0.1:18473/@beta/117680378474856448", "found": false}','bbac0791b9be87de093fe5fe99edd97508f79e9d252d077306d5f83eab9cb87c','b697ff4a0efa6ca6d26d6881bde621b4f87ef95dba73d2cfd1ca2f0988a88a4f');
INSERT INTO "journal" VALUES(7,1795660073275,'entered','root','{"post": "p-6cdujn3rz4nlf3hf", "account": "acme"}','b697ff4a0efa6ca6d26d6881bde621b4f87ef95dba73d2cfd1ca2f0988a88a4f','cbc80f4b2164319d8a347a9bea0a68acb34eb58472417b1e1092c76e47c26fb6');
INSERT INTO "journal" VALUES(8,1795660074070,'entered','root','{"post": "p-reyo5vghovzmq6nw", "account": "acme"}','cbc80f4b2164319d8a347a9bea0a68acb34eb58472417b1e1092c76e47c26fb6','fea2f39e6829a61770a3e4afea6b6f8719f8909700b961d51a1a287f9d3093ce');
INSERT INTO "journal" VALUES(9,1795660075177,'entered','root','{"post": "p-64du5jp2ja6jevz4", "account": "acme"}','fea2f39e6829a61770a3e4afea6b6f8719f8909700b961d51a1a287f9d3093ce','9f4e468bb43b95472d236c1479e7d1f3c8c44ceb13817b687ca84da6479a079f');
INSERT INTO "journal" VALUES(10,1795660076327,'entered','root','{"post": "p-x7mgwrrg5ffikc7k", "account": "acme"}','9f4e468bb43b95472d236c1479e7d1f3c8c44ceb13817b687ca84da6479a079f','89e4ee1a59f5cb4a105e74869e1261791639a32862cf84689b815d3a0f0338ff');
INSERT INTO "journal" VALUES(11,1795660077401,'entered','root','{"post": "p-2252jazjqhajwicr", "account": "beta"}','89e4ee1a59f5cb4a105e74869e1261791639a32862cf84689b815d3a0f0338ff','d103b8fda80ca2f8999752cc5fb44b040121171b7951eb65a8d2e52e2f34c9f4');
INSERT INTO "journal" VALUES(12,1795660078455,'held','root','{"hold": "h-ipo4wmfoatqrpkbc", "tag": "launch", "reason": "the date moves"}','d103b8fda80ca2f8999752cc5fb44b040121171b7951eb65a8d2e52e2f34c9f4','7fd9821e7ed8408e6e5114ffa8193ffdd5e7373416f7d8221ddefe5ac32b1546');
INSERT INTO "journal" VALUES(13,1795660080813,'frozen','root','{"freeze": "f-uinjunqiv75cbmtx", "scope": "brand:acme", "reason": "a golden freeze", "epoch": 2}','7fd9821e7ed8408e6e5114ffa8193ffdd5e7373416f7d8221ddefe5ac32b1546','29d2d52857bf46776acddc6e0e8cb0c1e40405b2eb98a6fcd94a6218a00219f9');
INSERT INTO "journal" VALUES(14,1795660081922,'entered','root','{"post": "p-guzr7y2pnifn5rs6", "account": "acme"}','29d2d52857bf46776acddc6e0e8cb0c1e40405b2eb98a6fcd94a6218a00219f9','e7848a8188e42bde74c0ae94889a4a28d10c4eee3bc56cee844f06d15aaef568');
INSERT INTO "journal" VALUES(15,1795660081974,'missed','guardian','{"count": 1, "posts": ["p-guzr7y2pnifn5rs6"]}','e7848a8188e42bde74c0ae94889a4a28d10c4eee3bc56cee844f06d15aaef568','72556a832efce530af42c75536d2bcd39396de2cc22407ac9b3c9f5ce39396c6');
INSERT INTO "journal" VALUES(16,1795660084428,'stopped','guardian','{}','72556a832efce530af42c75536d2bcd39396de2cc22407ac9b3c9f5ce39396c6','563d45e983c64859ecc7ffd3fa6eecb7e965f582c38c2950af33c4b467d80657');
INSERT INTO "journal" VALUES(17,1795660089257,'started','guardian','{"unclaimed": 0, "unknown": 0}','563d45e983c64859ecc7ffd3fa6eecb7e965f582c38c2950af33c4b467d80657','9acf422af54608e071d260012435b5dc4f9caa30ebf6eb4c01a58be6cea94c12');
INSERT INTO "journal" VALUES(18,1795660089811,'entered','root','{"post": "p-dvf5pdoflyrax24y", "account": "beta"}','9acf422af54608e071d260012435b5dc4f9caa30ebf6eb4c01a58be6cea94c12','ca5c7004cb420eb79b71c209972ace6bfc08b9b9766bfbaee5ad0c4c9e6d547a');
CREATE TABLE journal_posts (                         -- a line names at most 500 posts; here are all that it tells about
    post text not null,
    seq  bigint not null,
    primary key (post, seq)
);
INSERT INTO "journal_posts" VALUES('p-rsf6ivyh42fhbv2n',3);
INSERT INTO "journal_posts" VALUES('p-rsf6ivyh42fhbv2n',4);
INSERT INTO "journal_posts" VALUES('p-hj7d66cl5i34mjny',5);
INSERT INTO "journal_posts" VALUES('p-hj7d66cl5i34mjny',6);
INSERT INTO "journal_posts" VALUES('p-6cdujn3rz4nlf3hf',7);
INSERT INTO "journal_posts" VALUES('p-reyo5vghovzmq6nw',8);
INSERT INTO "journal_posts" VALUES('p-64du5jp2ja6jevz4',9);
INSERT INTO "journal_posts" VALUES('p-x7mgwrrg5ffikc7k',10);
INSERT INTO "journal_posts" VALUES('p-2252jazjqhajwicr',11);
INSERT INTO "journal_posts" VALUES('p-guzr7y2pnifn5rs6',14);
INSERT INTO "journal_posts" VALUES('p-guzr7y2pnifn5rs6',15);
INSERT INTO "journal_posts" VALUES('p-dvf5pdoflyrax24y',18);
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
INSERT INTO "migrations" VALUES(1,'0001_house.sql',1795660068307);
INSERT INTO "migrations" VALUES(2,'0002_seals.sql',1795660068307);
INSERT INTO "migrations" VALUES(3,'0003_everyday.sql',1795660068307);
INSERT INTO "migrations" VALUES(4,'0004_speed.sql',1795660068307);
INSERT INTO "migrations" VALUES(5,'0005_story.sql',1795660068307);
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
    changed_at  bigint not null, seal text, media text, tail text, parts bigint not null default 1, live bigint not null default 0, wall text, pace bigint,
    check (state <> 'published' or platform_id is not null),     -- no false success (invariant I7)
    unique (account, ref)
);
INSERT INTO "posts" VALUES('p-rsf6ivyh42fhbv2n',1,'acme','published',1795660070319,1795660070319,NULL,'published by acme åäö 😀',NULL,NULL,NULL,'[]',NULL,'95600f41815c1dc8c371c75971aac9d41e101886c8f4274d8e954d8b444653d0',NULL,'117680378369474560','http://127.0.0.1:18473/@acme/117680378369474560',1795660070319,'root',1795660070338,'82affa8df9ee13283ad08183e504b798de2a81eb0d4153210fc34cfc3846ac75',NULL,NULL,1,1,NULL,NULL);
INSERT INTO "posts" VALUES('p-hj7d66cl5i34mjny',2,'beta','published',1795660071867,1795660071867,NULL,'published by beta åäö 😀',NULL,NULL,NULL,'[]',NULL,'da3b4c5041f08424c6021c60af7206f874215053a7c48df6c4de55cfded9f4cf',NULL,'117680378474856448','http://127.0.0.1:18473/@beta/117680378474856448',1795660071867,'root',1795660071950,'ef17b22618a85531b50f557f20f5a74c0a02e033bb6c1ae7a71a4673f9baf71f',NULL,NULL,1,1,NULL,NULL);
INSERT INTO "posts" VALUES('p-6cdujn3rz4nlf3hf',3,'acme','queued',1925280000000,1795660073275,'Europe/Stockholm','planned 0',NULL,NULL,NULL,'["launch"]','plan-0','0181bf7270cc3a7f98d57e1b6ef2bf7cd4c806885f098f21ff16a7c079e0ec5d',NULL,NULL,NULL,1795660073275,'root',1795660073275,'05f5793b5c29c8e55bce9047530bf2959d5ff33db999db7cac03afa5e86e983a',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL);
INSERT INTO "posts" VALUES('p-reyo5vghovzmq6nw',4,'acme','queued',1925280000000,1795660074070,'Europe/Stockholm','planned 1',NULL,NULL,NULL,'["launch"]','plan-1','94d0ce899297088b91e99ab97057ff70b64b5a6fad031f85a651aff927834512',NULL,NULL,NULL,1795660074070,'root',1795660074070,'db47d1dc8af5b96972df7dbd7be820880e0d1cebcbd17039a581dcba1bf38930',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL);
INSERT INTO "posts" VALUES('p-64du5jp2ja6jevz4',5,'acme','queued',1925280000000,1795660075177,'Europe/Stockholm','planned 2',NULL,NULL,NULL,'["launch"]','plan-2','6fb37cd4e33d165ca40d16686a5e47ee2c4a5ec9f10162562d25b087759ec2c2',NULL,NULL,NULL,1795660075177,'root',1795660075177,'93ad196e9fd3b652e02afb21edf62c5e5efe49f0021e00e6ebdf695bd599610c',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL);
INSERT INTO "posts" VALUES('p-x7mgwrrg5ffikc7k',6,'acme','queued',1925280000000,1795660076327,'Europe/Stockholm','planned 3',NULL,NULL,NULL,'["launch"]','plan-3','0eaef3e0af2a8259b13bbd6125c8a0d76bfe758fc8ac73e2c6f0a6932d250ff8',NULL,NULL,NULL,1795660076327,'root',1795660076327,'99abb2526e5dc239d2aa1ebcbf5b9bc45232c6921f29055f27fc8c6a16b2bbe2',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL);
INSERT INTO "posts" VALUES('p-2252jazjqhajwicr',7,'beta','queued',1925280000000,1795660077401,'Europe/Stockholm','one',NULL,NULL,NULL,'["launch"]',NULL,'8e6545d56fd16aa01a5c1cf15400751285a83b32c39ac30e85683cff3ec2efc8',NULL,NULL,NULL,1795660077401,'root',1795660077401,'5d823953cee224623f0804dcbe911dfb017a178e53269080153f2bfa82d11519',NULL,'[{"text": "two", "media": []}]',2,0,'2031-01-04T09:00:00',NULL);
INSERT INTO "posts" VALUES('p-guzr7y2pnifn5rs6',8,'acme','missed',1795660081922,1795660081922,NULL,'missed under the freeze',NULL,NULL,NULL,'[]',NULL,'221bc729526d133c8c8819953c6ad6826748b3c2f5e015cf1b074479547417a6','its time passed while a freeze covered it',NULL,NULL,1795660081922,'root',1795660081974,'58926a43385bc930ccaf7f354bd58f8859260d69a5224b5374c84f5170388010',NULL,NULL,1,0,NULL,NULL);
INSERT INTO "posts" VALUES('p-dvf5pdoflyrax24y',9,'beta','sending',1795660089811,1795660089811,NULL,'in the middle of a send',NULL,NULL,NULL,'[]',NULL,'6448944705accfd5fb0d8fdc7d1041d535242271d0fc674c915e8688f769ff54',NULL,NULL,NULL,1795660089811,'root',1795660089832,'d843d5de5f6332edf20c93d6defcb83b19017686fe062bdb814c80ee4839e224',NULL,NULL,1,0,NULL,NULL);
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
CREATE TABLE tags (                                  -- as JSON writes them, quotes and all, like those of the holds
    tag  text not null,
    post text not null references posts (id),
    primary key (tag, post)
);
INSERT INTO "tags" VALUES('"launch"','p-6cdujn3rz4nlf3hf');
INSERT INTO "tags" VALUES('"launch"','p-reyo5vghovzmq6nw');
INSERT INTO "tags" VALUES('"launch"','p-64du5jp2ja6jevz4');
INSERT INTO "tags" VALUES('"launch"','p-x7mgwrrg5ffikc7k');
INSERT INTO "tags" VALUES('"launch"','p-2252jazjqhajwicr');
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
CREATE INDEX posts_by_state on posts (state, at, seq);
CREATE UNIQUE INDEX posts_platform_ids on posts (account, platform_id) where platform_id is not null;
CREATE INDEX posts_paced on posts (account, at) where state = 'queued' and pace > 0;
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
