-- Bytes of attachments that are kept outside the database: under which name, how many, and a hash over them.
-- Those in the table attachments are in the database itself.
create table attachment_files (
  attribute_id {int} primary key, name text not null unique, size {int} not null, digest {blob} not null);

-- Names that no attribute has any more, since when: who reads an older state may still need their bytes.
create table discarded_files (name text primary key, at {int} not null);
