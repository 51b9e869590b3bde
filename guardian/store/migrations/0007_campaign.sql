-- A name under which people write one variant for each account, and what stands under it in the order of time.

alter table posts add column campaign text;   -- null: it belongs to none
create index posts_of_campaign on posts (campaign, at, seq) where campaign is not null;
