-- Which lines of the journal tell about which post, which tags a post has, and how released posts are paced.

create table journal_posts (                         -- a line names at most 500 posts; here are all that it tells about
    post text not null,
    seq  bigint not null,
    primary key (post, seq)
);

create table tags (                                  -- as JSON writes them, quotes and all, like those of the holds
    tag  text not null,
    post text not null references posts (id),
    primary key (tag, post)
);

-- least time in ms between it and another released post of its account; null: nobody released it
alter table posts add column pace bigint;
create index posts_paced on posts (account, at) where state = 'queued' and pace > 0;

-- What was there before. Only SQLite words it this way; a store of another kind begins empty.
insert into journal_posts (post, seq)
select distinct json_extract(data, '$.post'), seq from journal
where json_valid(data) and json_type(data, '$.post') = 'text'
union
select distinct one.value, j.seq from journal j, json_each(j.data, '$.posts') one
where json_valid(j.data) and json_type(j.data, '$.posts') = 'array';

insert into tags (tag, post)
select distinct json_quote(one.value), p.id from posts p, json_each(p.tags) one
where p.tags <> '[]' and json_valid(p.tags);
