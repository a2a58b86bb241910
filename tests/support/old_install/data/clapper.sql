BEGIN TRANSACTION;
CREATE TABLE artifacts (
    job_id     TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    size       INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    created_at REAL NOT NULL
, delivered_at REAL, share_serial INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "artifacts" VALUES('ce7a7ff649fc123be52ae5bc0c9ed02c',4787,'a23f0c49ea1ab715afab81abe0840a26ea2f81b8def3ca1caf4c985d7a652078',1794978580.0,NULL,0);
INSERT INTO "artifacts" VALUES('0d729778b21e27e900562bd7d82c91b7',4787,'acd57bba8db000af7709c9c178417a12f624ec061ee43e07e0a1a626fa6428f6',1794978580.0,NULL,0);
INSERT INTO "artifacts" VALUES('0664bd5bba34cce5b9a4327866b865bf',4787,'dc050765db044c3f3d5bf4838e14ea913ba2c770b0c15c84e11eea0456e34ece',1794978580.0,1794978580.0,0);
INSERT INTO "artifacts" VALUES('90c614d2a9f82d28b78b1626e8c7e9a6',11640,'ad029e6e81c8c4c90e4b8e90572898c7221e005f370abb6882736fdf20586430',1794978760.0,1794978760.0,0);
INSERT INTO "artifacts" VALUES('8e19545f050320bc5fa35f5615ce31d1',11640,'ad029e6e81c8c4c90e4b8e90572898c7221e005f370abb6882736fdf20586430',1794978760.0,1794978760.0,0);
INSERT INTO "artifacts" VALUES('afba2d06f68eaf356f8b10fdb232f047',11640,'ad029e6e81c8c4c90e4b8e90572898c7221e005f370abb6882736fdf20586430',1794978760.0,1794978760.0,0);
INSERT INTO "artifacts" VALUES('b4c9e14061c2fd453b36700e3b0da008',11640,'ad029e6e81c8c4c90e4b8e90572898c7221e005f370abb6882736fdf20586430',1794978760.0,1794978760.0,0);
INSERT INTO "artifacts" VALUES('d7cd2c0b3ad9712cfba906931700b0b5',4788,'908bbcdd78a87cea5de11ee84c3717f920145302bd12ac09fb3a4e2b04535c12',1794978760.0,1794978760.0,0);
INSERT INTO "artifacts" VALUES('d3a571ccd92c9770ad78212fa738a3ee',4788,'cfe5e827de76aae2ed75223b145bf883ab6894438212dd37acf01eb203114603',1794978760.0,1794978760.0,0);
INSERT INTO "artifacts" VALUES('ffb2f437d3f828a06427c1218150ddcf',4788,'03d01a78366ad7945e34691fc67070fe43fcb0be136dfff3cd6a81eef5fcf41e',1794978760.0,NULL,0);
INSERT INTO "artifacts" VALUES('470d53ae8fe3267fbd2b74389ffa5d8e',4788,'c8cf41964771c947790912500daea09218a596693a1c0d6b44a0df7cb19e3e10',1794978760.0,1794978760.0,0);
INSERT INTO "artifacts" VALUES('818d60d36afc2dd3117d2d768a08ecdb',4788,'0345cb233ba3bc695d7b947b08f0d61c6a1098a887a611ded68b7e6b5522869a',1794978760.0,1794978760.0,0);
INSERT INTO "artifacts" VALUES('ca6d8b821731737408cb3b250504f7a2',11640,'ad029e6e81c8c4c90e4b8e90572898c7221e005f370abb6882736fdf20586430',1794978760.0,1794978760.0,0);
INSERT INTO "artifacts" VALUES('67675e5bd22aef8d391d6135fb2de68a',11640,'ad029e6e81c8c4c90e4b8e90572898c7221e005f370abb6882736fdf20586430',1794978760.0,1794978760.0,0);
INSERT INTO "artifacts" VALUES('041d2fde9d42c35acabd938624d08722',11640,'ad029e6e81c8c4c90e4b8e90572898c7221e005f370abb6882736fdf20586430',1794978760.0,1794978760.0,0);
INSERT INTO "artifacts" VALUES('99639033b086438f8c8728ef14dc2cc9',4788,'07b7c63536aa7ded102737391069fd0c3995afd05d1d771d4578058afb2459e7',1794978760.0,NULL,1);
INSERT INTO "artifacts" VALUES('1fcc08c7733965bce66a034f70cc3e22',4788,'bd339aa662e613b83fc7d36c2b1270b8e9b5f66ea1c1c28ca5147e0cfc42fccc',1794978940.0,NULL,0);
INSERT INTO "artifacts" VALUES('c20dea4d876b5b8fb0a1814b43017030',4788,'b34079c05a1cbedc78235e996a9c164ddf335cfe9bba72ba6e1723bbf26e7309',1794978940.0,NULL,0);
CREATE TABLE "circuits" (
    backend   TEXT PRIMARY KEY,
    state     TEXT NOT NULL DEFAULT 'counting' CHECK (state IN ('counting', 'open', 'over')),
    reason    TEXT NOT NULL CHECK (reason IN ('auth', 'balance', 'setup', 'outage')),
    refusals  INTEGER NOT NULL,
    -- Those since it opened, and when the next one may be made.
    probes    INTEGER NOT NULL DEFAULT 0,
    opened_at REAL,
    probe_at  REAL,
    -- The reason that the operator was told, and whether that has reached anybody.
    told      TEXT,
    reached   INTEGER NOT NULL DEFAULT 0,

    CHECK (state = 'counting' OR (opened_at IS NOT NULL AND probe_at IS NOT NULL))
) STRICT;
INSERT INTO "circuits" VALUES('openai','counting','outage',0,0,NULL,NULL,NULL,0);
INSERT INTO "circuits" VALUES('old-auth','open','auth',1,0,1794996400.0,1795086400.0,NULL,0);
INSERT INTO "circuits" VALUES('old-balance','open','balance',1,0,1794996400.0,1795086400.0,'balance',1);
INSERT INTO "circuits" VALUES('old-setup','open','setup',1,0,1794996400.0,1795086400.0,NULL,0);
INSERT INTO "circuits" VALUES('old-outage','open','outage',1,0,1794996400.0,1795086400.0,NULL,0);
INSERT INTO "circuits" VALUES('old-counting','counting','outage',1,0,NULL,NULL,NULL,0);
INSERT INTO "circuits" VALUES('old-over','over','auth',0,0,1794992800.0,1794999940.0,'auth',1);
INSERT INTO "circuits" VALUES('storyboard','open','setup',1,0,1794996400.0,1794999940.0,NULL,0);
CREATE TABLE inbox (
    backend     TEXT NOT NULL,
    webhook_id  TEXT NOT NULL,
    remote_id   TEXT NOT NULL,
    received_at REAL NOT NULL,
    PRIMARY KEY (backend, webhook_id)
) STRICT;
INSERT INTO "inbox" VALUES('openai','wh_old','video_old',1794996400.0);
CREATE TABLE job_events (
    job_id     TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    at         REAL NOT NULL,
    epoch      INTEGER NOT NULL,
    from_state TEXT,
    to_state   TEXT NOT NULL
) STRICT;
INSERT INTO "job_events" VALUES('d4bbf49e389e4f007cb4902ec8742e0a',1794978400.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('138ec888b1554c306a389e76fef552de',1794978400.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('138ec888b1554c306a389e76fef552de',1794978400.0,2,'received','queued');
INSERT INTO "job_events" VALUES('84920d6244b31d5ffdc52dc74a560bcb',1794978400.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('84920d6244b31d5ffdc52dc74a560bcb',1794978400.0,2,'received','queued');
INSERT INTO "job_events" VALUES('84920d6244b31d5ffdc52dc74a560bcb',1794978400.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('20401d280eb4a9e1bdc4ccf49d81b916',1794978400.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('20401d280eb4a9e1bdc4ccf49d81b916',1794978400.0,2,'received','queued');
INSERT INTO "job_events" VALUES('20401d280eb4a9e1bdc4ccf49d81b916',1794978400.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('20401d280eb4a9e1bdc4ccf49d81b916',1794978400.0,3,'submitting','unconfirmed');
INSERT INTO "job_events" VALUES('cc673010c3acfac12b52d5c02af09545',1794978400.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('cc673010c3acfac12b52d5c02af09545',1794978400.0,2,'received','queued');
INSERT INTO "job_events" VALUES('cc673010c3acfac12b52d5c02af09545',1794978400.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('cc673010c3acfac12b52d5c02af09545',1794978400.0,3,'submitting','unconfirmed');
INSERT INTO "job_events" VALUES('cc673010c3acfac12b52d5c02af09545',1794978580.0,4,'unconfirmed','undecided');
INSERT INTO "job_events" VALUES('0401d41b41d05074a27d03fc4d65682d',1794978580.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('0401d41b41d05074a27d03fc4d65682d',1794978580.0,2,'received','queued');
INSERT INTO "job_events" VALUES('0401d41b41d05074a27d03fc4d65682d',1794978580.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('0401d41b41d05074a27d03fc4d65682d',1794978580.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('0401d41b41d05074a27d03fc4d65682d',1794978580.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('960c973da87f37b238ed8c3e815e7390',1794978580.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('960c973da87f37b238ed8c3e815e7390',1794978580.0,2,'received','queued');
INSERT INTO "job_events" VALUES('960c973da87f37b238ed8c3e815e7390',1794978580.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('960c973da87f37b238ed8c3e815e7390',1794978580.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('960c973da87f37b238ed8c3e815e7390',1794978580.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('960c973da87f37b238ed8c3e815e7390',1794978580.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('ce7a7ff649fc123be52ae5bc0c9ed02c',1794978580.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('ce7a7ff649fc123be52ae5bc0c9ed02c',1794978580.0,2,'received','queued');
INSERT INTO "job_events" VALUES('ce7a7ff649fc123be52ae5bc0c9ed02c',1794978580.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('ce7a7ff649fc123be52ae5bc0c9ed02c',1794978580.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('ce7a7ff649fc123be52ae5bc0c9ed02c',1794978580.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('ce7a7ff649fc123be52ae5bc0c9ed02c',1794978580.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('ce7a7ff649fc123be52ae5bc0c9ed02c',1794978580.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('0d729778b21e27e900562bd7d82c91b7',1794978580.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('0d729778b21e27e900562bd7d82c91b7',1794978580.0,2,'received','queued');
INSERT INTO "job_events" VALUES('0d729778b21e27e900562bd7d82c91b7',1794978580.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('0d729778b21e27e900562bd7d82c91b7',1794978580.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('0d729778b21e27e900562bd7d82c91b7',1794978580.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('0d729778b21e27e900562bd7d82c91b7',1794978580.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('0d729778b21e27e900562bd7d82c91b7',1794978580.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('0d729778b21e27e900562bd7d82c91b7',1794978580.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('0664bd5bba34cce5b9a4327866b865bf',1794978580.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('0664bd5bba34cce5b9a4327866b865bf',1794978580.0,2,'received','queued');
INSERT INTO "job_events" VALUES('0664bd5bba34cce5b9a4327866b865bf',1794978580.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('0664bd5bba34cce5b9a4327866b865bf',1794978580.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('0664bd5bba34cce5b9a4327866b865bf',1794978580.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('0664bd5bba34cce5b9a4327866b865bf',1794978580.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('0664bd5bba34cce5b9a4327866b865bf',1794978580.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('0664bd5bba34cce5b9a4327866b865bf',1794978580.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('0664bd5bba34cce5b9a4327866b865bf',1794978580.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('483ea18e45c2efff404f34e5f9d9c883',1794978580.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('483ea18e45c2efff404f34e5f9d9c883',1794978580.0,2,'received','queued');
INSERT INTO "job_events" VALUES('483ea18e45c2efff404f34e5f9d9c883',1794978580.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('483ea18e45c2efff404f34e5f9d9c883',1794978580.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('5aa80a32407389688f5989a1e15c64b1',1794978580.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('5aa80a32407389688f5989a1e15c64b1',1794978580.0,1,'received','cancelled');
INSERT INTO "job_events" VALUES('978eca2a072eb50a78be21262683339b',1794978580.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('978eca2a072eb50a78be21262683339b',1794978580.0,2,'received','queued');
INSERT INTO "job_events" VALUES('978eca2a072eb50a78be21262683339b',1794978580.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('978eca2a072eb50a78be21262683339b',1794978580.0,3,'submitting','failed');
INSERT INTO "job_events" VALUES('3f262d56e913ae615fe90590f49d21d8',1794978580.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('3f262d56e913ae615fe90590f49d21d8',1794978580.0,2,'received','queued');
INSERT INTO "job_events" VALUES('3f262d56e913ae615fe90590f49d21d8',1794978580.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('3f262d56e913ae615fe90590f49d21d8',1794978580.0,3,'submitting','unconfirmed');
INSERT INTO "job_events" VALUES('3f262d56e913ae615fe90590f49d21d8',1794978760.0,4,'unconfirmed','undecided');
INSERT INTO "job_events" VALUES('90c614d2a9f82d28b78b1626e8c7e9a6',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('90c614d2a9f82d28b78b1626e8c7e9a6',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('90c614d2a9f82d28b78b1626e8c7e9a6',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('90c614d2a9f82d28b78b1626e8c7e9a6',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('90c614d2a9f82d28b78b1626e8c7e9a6',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('90c614d2a9f82d28b78b1626e8c7e9a6',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('90c614d2a9f82d28b78b1626e8c7e9a6',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('90c614d2a9f82d28b78b1626e8c7e9a6',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('90c614d2a9f82d28b78b1626e8c7e9a6',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('8e19545f050320bc5fa35f5615ce31d1',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('8e19545f050320bc5fa35f5615ce31d1',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('8e19545f050320bc5fa35f5615ce31d1',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('8e19545f050320bc5fa35f5615ce31d1',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('8e19545f050320bc5fa35f5615ce31d1',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('8e19545f050320bc5fa35f5615ce31d1',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('8e19545f050320bc5fa35f5615ce31d1',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('8e19545f050320bc5fa35f5615ce31d1',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('8e19545f050320bc5fa35f5615ce31d1',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('22eed154ded9bccd36129fdb3bee4d40',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('22eed154ded9bccd36129fdb3bee4d40',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('22eed154ded9bccd36129fdb3bee4d40',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('22eed154ded9bccd36129fdb3bee4d40',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('22eed154ded9bccd36129fdb3bee4d40',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('22eed154ded9bccd36129fdb3bee4d40',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('afba2d06f68eaf356f8b10fdb232f047',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('afba2d06f68eaf356f8b10fdb232f047',1794978760.0,2,'received','merging');
INSERT INTO "job_events" VALUES('afba2d06f68eaf356f8b10fdb232f047',1794978760.0,3,'merging','delivering');
INSERT INTO "job_events" VALUES('afba2d06f68eaf356f8b10fdb232f047',1794978760.0,4,'delivering','notifying');
INSERT INTO "job_events" VALUES('afba2d06f68eaf356f8b10fdb232f047',1794978760.0,5,'notifying','succeeded');
INSERT INTO "job_events" VALUES('b4c9e14061c2fd453b36700e3b0da008',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('b4c9e14061c2fd453b36700e3b0da008',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('b4c9e14061c2fd453b36700e3b0da008',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('b4c9e14061c2fd453b36700e3b0da008',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('b4c9e14061c2fd453b36700e3b0da008',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('b4c9e14061c2fd453b36700e3b0da008',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('b4c9e14061c2fd453b36700e3b0da008',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('b4c9e14061c2fd453b36700e3b0da008',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('b4c9e14061c2fd453b36700e3b0da008',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('089001a35679a33ef3db0ca350db9b9a',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('089001a35679a33ef3db0ca350db9b9a',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('089001a35679a33ef3db0ca350db9b9a',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('089001a35679a33ef3db0ca350db9b9a',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('8781ea4e71c897e06b7b6f89ce6e3671',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('8781ea4e71c897e06b7b6f89ce6e3671',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('8781ea4e71c897e06b7b6f89ce6e3671',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('8781ea4e71c897e06b7b6f89ce6e3671',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('d7cd2c0b3ad9712cfba906931700b0b5',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('d7cd2c0b3ad9712cfba906931700b0b5',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('d7cd2c0b3ad9712cfba906931700b0b5',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('d7cd2c0b3ad9712cfba906931700b0b5',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('d7cd2c0b3ad9712cfba906931700b0b5',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('d7cd2c0b3ad9712cfba906931700b0b5',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('d7cd2c0b3ad9712cfba906931700b0b5',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('d7cd2c0b3ad9712cfba906931700b0b5',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('d7cd2c0b3ad9712cfba906931700b0b5',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('d3a571ccd92c9770ad78212fa738a3ee',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('d3a571ccd92c9770ad78212fa738a3ee',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('d3a571ccd92c9770ad78212fa738a3ee',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('d3a571ccd92c9770ad78212fa738a3ee',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('d3a571ccd92c9770ad78212fa738a3ee',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('d3a571ccd92c9770ad78212fa738a3ee',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('d3a571ccd92c9770ad78212fa738a3ee',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('d3a571ccd92c9770ad78212fa738a3ee',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('d3a571ccd92c9770ad78212fa738a3ee',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('ffb2f437d3f828a06427c1218150ddcf',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('ffb2f437d3f828a06427c1218150ddcf',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('ffb2f437d3f828a06427c1218150ddcf',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('ffb2f437d3f828a06427c1218150ddcf',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('ffb2f437d3f828a06427c1218150ddcf',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('ffb2f437d3f828a06427c1218150ddcf',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('ffb2f437d3f828a06427c1218150ddcf',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('ffb2f437d3f828a06427c1218150ddcf',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('ffb2f437d3f828a06427c1218150ddcf',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('470d53ae8fe3267fbd2b74389ffa5d8e',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('470d53ae8fe3267fbd2b74389ffa5d8e',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('470d53ae8fe3267fbd2b74389ffa5d8e',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('470d53ae8fe3267fbd2b74389ffa5d8e',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('470d53ae8fe3267fbd2b74389ffa5d8e',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('470d53ae8fe3267fbd2b74389ffa5d8e',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('470d53ae8fe3267fbd2b74389ffa5d8e',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('470d53ae8fe3267fbd2b74389ffa5d8e',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('470d53ae8fe3267fbd2b74389ffa5d8e',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('1fca0e56f423072b89a3d895bbf984c6',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('1fca0e56f423072b89a3d895bbf984c6',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('1fca0e56f423072b89a3d895bbf984c6',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('1fca0e56f423072b89a3d895bbf984c6',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('3aa3da219fd843fbb6cac97ce107c114',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('3aa3da219fd843fbb6cac97ce107c114',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('3aa3da219fd843fbb6cac97ce107c114',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('3aa3da219fd843fbb6cac97ce107c114',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('3aa3da219fd843fbb6cac97ce107c114',1794978760.0,3,'generating','cancelled');
INSERT INTO "job_events" VALUES('2b6d24014813e5cc98930cc17399699c',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('2b6d24014813e5cc98930cc17399699c',1794978760.0,2,'received','merging');
INSERT INTO "job_events" VALUES('2b6d24014813e5cc98930cc17399699c',1794978760.0,2,'merging','cancelled');
INSERT INTO "job_events" VALUES('1185f37d33b0f89e331f101a51bb8e51',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('1185f37d33b0f89e331f101a51bb8e51',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('1185f37d33b0f89e331f101a51bb8e51',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('1185f37d33b0f89e331f101a51bb8e51',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('1185f37d33b0f89e331f101a51bb8e51',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('1185f37d33b0f89e331f101a51bb8e51',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('1185f37d33b0f89e331f101a51bb8e51',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('1185f37d33b0f89e331f101a51bb8e51',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('1185f37d33b0f89e331f101a51bb8e51',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('818d60d36afc2dd3117d2d768a08ecdb',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('818d60d36afc2dd3117d2d768a08ecdb',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('818d60d36afc2dd3117d2d768a08ecdb',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('818d60d36afc2dd3117d2d768a08ecdb',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('818d60d36afc2dd3117d2d768a08ecdb',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('818d60d36afc2dd3117d2d768a08ecdb',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('818d60d36afc2dd3117d2d768a08ecdb',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('818d60d36afc2dd3117d2d768a08ecdb',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('818d60d36afc2dd3117d2d768a08ecdb',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('ca6d8b821731737408cb3b250504f7a2',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('ca6d8b821731737408cb3b250504f7a2',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('ca6d8b821731737408cb3b250504f7a2',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('ca6d8b821731737408cb3b250504f7a2',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('ca6d8b821731737408cb3b250504f7a2',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('ca6d8b821731737408cb3b250504f7a2',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('ca6d8b821731737408cb3b250504f7a2',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('ca6d8b821731737408cb3b250504f7a2',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('ca6d8b821731737408cb3b250504f7a2',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('67675e5bd22aef8d391d6135fb2de68a',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('67675e5bd22aef8d391d6135fb2de68a',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('67675e5bd22aef8d391d6135fb2de68a',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('67675e5bd22aef8d391d6135fb2de68a',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('67675e5bd22aef8d391d6135fb2de68a',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('67675e5bd22aef8d391d6135fb2de68a',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('67675e5bd22aef8d391d6135fb2de68a',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('67675e5bd22aef8d391d6135fb2de68a',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('67675e5bd22aef8d391d6135fb2de68a',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('041d2fde9d42c35acabd938624d08722',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('041d2fde9d42c35acabd938624d08722',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('041d2fde9d42c35acabd938624d08722',1794978760.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('041d2fde9d42c35acabd938624d08722',1794978760.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('041d2fde9d42c35acabd938624d08722',1794978760.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('041d2fde9d42c35acabd938624d08722',1794978760.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('041d2fde9d42c35acabd938624d08722',1794978760.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('041d2fde9d42c35acabd938624d08722',1794978760.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('041d2fde9d42c35acabd938624d08722',1794978760.0,8,'notifying','succeeded');
INSERT INTO "job_events" VALUES('c570472337299f6a397d6a8d26a60908',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('c570472337299f6a397d6a8d26a60908',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('c7e378d8748d40221a4efdc5d1bf299a',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('c7e378d8748d40221a4efdc5d1bf299a',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('3ebe697f1655c58a307289752d42e7fd',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('3ebe697f1655c58a307289752d42e7fd',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('47435618cd5b970cff892441656d0389',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('47435618cd5b970cff892441656d0389',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('964ab62b36531f0484ab51d36aaaaa8e',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('964ab62b36531f0484ab51d36aaaaa8e',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('fe2f312f32cf400e58bd38441111514e',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('fe2f312f32cf400e58bd38441111514e',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('3a8dce0e1e29b84889739e1da1183a36',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('3a8dce0e1e29b84889739e1da1183a36',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('0a285a9e2651226cdb18ee96744cc899',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('0a285a9e2651226cdb18ee96744cc899',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('22cb42b0818cc62099ca07c12fc7b76c',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('22cb42b0818cc62099ca07c12fc7b76c',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('cfb4215884650267010c6c8e6188c6a4',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('cfb4215884650267010c6c8e6188c6a4',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('8f67e5eba03ecc88bc1326c903a5f174',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('8f67e5eba03ecc88bc1326c903a5f174',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('cbef04fd42cafaddff58a651a93d5aca',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('cbef04fd42cafaddff58a651a93d5aca',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('7445f4cf61b7c162bca3a7075b4c2039',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('7445f4cf61b7c162bca3a7075b4c2039',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('459673555de7e45c471082f8f3248ffa',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('459673555de7e45c471082f8f3248ffa',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('541cf2438cf30a13d975d022dfe1ea90',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('541cf2438cf30a13d975d022dfe1ea90',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('718b26de09e1a9c4829cca4d4d9c797f',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('718b26de09e1a9c4829cca4d4d9c797f',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('acf1ab5854475cb5277edc2da7c552e7',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('acf1ab5854475cb5277edc2da7c552e7',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('8a8d38d56036950a720700a8f01d38c4',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('8a8d38d56036950a720700a8f01d38c4',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('4dc8ba6b0c4f9bff8a53cc6e5db3af24',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('4dc8ba6b0c4f9bff8a53cc6e5db3af24',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('eff90d605ff40d7f06b77a6a9d1228ab',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('eff90d605ff40d7f06b77a6a9d1228ab',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('412a2a80b3817399cf9c82a7c634c255',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('412a2a80b3817399cf9c82a7c634c255',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('ecfb1c4a83c53ff1b57f96493a699d43',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('ecfb1c4a83c53ff1b57f96493a699d43',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('473b1cdab463ba352340045281a41a9a',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('473b1cdab463ba352340045281a41a9a',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('6008056d6cef30663ec76d451e34fca7',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('6008056d6cef30663ec76d451e34fca7',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('b1b21eb1cdb5d87ce786bce4568c3a59',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('b1b21eb1cdb5d87ce786bce4568c3a59',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('4d4851f1fbb78ea48d9314749c62f9b8',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('4d4851f1fbb78ea48d9314749c62f9b8',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('ae6df0a79b6ef52bc11bb8dd980a5114',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('ae6df0a79b6ef52bc11bb8dd980a5114',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('6af57d1f1be63bc40f8ad32974de7b63',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('6af57d1f1be63bc40f8ad32974de7b63',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('1ceb29e88c995c50a2efa0b953c9d2c5',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('1ceb29e88c995c50a2efa0b953c9d2c5',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('d805e04a207dbd98332f4c9562c6213a',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('d805e04a207dbd98332f4c9562c6213a',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('70cc9c51c4ff664ebc7badbc5b35bf77',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('70cc9c51c4ff664ebc7badbc5b35bf77',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('7e2da817f8069e333b820fc799332854',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('7e2da817f8069e333b820fc799332854',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('23813e13be2fcc227825f55f9bdc29f6',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('23813e13be2fcc227825f55f9bdc29f6',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('c7d36cafc4f041e0dfb8415da18ef646',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('c7d36cafc4f041e0dfb8415da18ef646',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('0591ea31bb6bd676767517b064c7a46e',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('0591ea31bb6bd676767517b064c7a46e',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('0b01c87c61bb4c15716daff87c27ab27',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('0b01c87c61bb4c15716daff87c27ab27',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('ce531ba65f588f6cf42d1805b826cdc3',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('ce531ba65f588f6cf42d1805b826cdc3',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('99f2d03573c256280bb3158eb3088435',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('99f2d03573c256280bb3158eb3088435',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('a6c541f1e35fbd2ad8866c77d1c113ba',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('a6c541f1e35fbd2ad8866c77d1c113ba',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('931008bcb5d565a2f66819f852fabac3',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('931008bcb5d565a2f66819f852fabac3',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('08033fc7df73d9fbc3bf771837295f6d',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('08033fc7df73d9fbc3bf771837295f6d',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('af30d8f87bad255aaa82a887100a7250',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('af30d8f87bad255aaa82a887100a7250',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('8edb6bfdb092ca9b059120ca5b5423e9',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('8edb6bfdb092ca9b059120ca5b5423e9',1794978760.0,1,'received','failed');
INSERT INTO "job_events" VALUES('f94b1a77fabd98c98015b0017b41c4dc',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('f94b1a77fabd98c98015b0017b41c4dc',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('66b4362b8f92d2a0cdcccb7fe3c9be6c',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('66b4362b8f92d2a0cdcccb7fe3c9be6c',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('07db85351edd4b42e806b87e319d5cc7',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('07db85351edd4b42e806b87e319d5cc7',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('2eb71ce095f9ce71360a5a0071522300',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('2eb71ce095f9ce71360a5a0071522300',1794978760.0,2,'received','queued');
INSERT INTO "job_events" VALUES('99639033b086438f8c8728ef14dc2cc9',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('99639033b086438f8c8728ef14dc2cc9',1794978760.0,1,'received','queued');
INSERT INTO "job_events" VALUES('99639033b086438f8c8728ef14dc2cc9',1794978760.0,2,'queued','submitting');
INSERT INTO "job_events" VALUES('99639033b086438f8c8728ef14dc2cc9',1794978760.0,2,'submitting','generating');
INSERT INTO "job_events" VALUES('99639033b086438f8c8728ef14dc2cc9',1794978760.0,3,'generating','downloading');
INSERT INTO "job_events" VALUES('99639033b086438f8c8728ef14dc2cc9',1794978760.0,4,'downloading','merging');
INSERT INTO "job_events" VALUES('99639033b086438f8c8728ef14dc2cc9',1794978760.0,5,'merging','succeeded');
INSERT INTO "job_events" VALUES('3da4af82eb224d46b191cb96e7977b1c',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('3da4af82eb224d46b191cb96e7977b1c',1794978760.0,1,'received','queued');
INSERT INTO "job_events" VALUES('3da4af82eb224d46b191cb96e7977b1c',1794978760.0,2,'queued','submitting');
INSERT INTO "job_events" VALUES('3da4af82eb224d46b191cb96e7977b1c',1794978760.0,2,'submitting','failed');
INSERT INTO "job_events" VALUES('3023a4118b5241a38055951a11784aea',1794978760.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('3023a4118b5241a38055951a11784aea',1794978760.0,1,'received','queued');
INSERT INTO "job_events" VALUES('3023a4118b5241a38055951a11784aea',1794978760.0,2,'queued','submitting');
INSERT INTO "job_events" VALUES('3023a4118b5241a38055951a11784aea',1794978760.0,2,'submitting','unconfirmed');
INSERT INTO "job_events" VALUES('3023a4118b5241a38055951a11784aea',1794978940.0,3,'unconfirmed','undecided');
INSERT INTO "job_events" VALUES('4ed04282bc364660aa3da152fe6fa649',1794978940.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('4ed04282bc364660aa3da152fe6fa649',1794978940.0,0,'received','cancelled');
INSERT INTO "job_events" VALUES('cf8ad4d9e25bd81545d80a8f1a720298',1794978940.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('cf8ad4d9e25bd81545d80a8f1a720298',1794978940.0,2,'received','queued');
INSERT INTO "job_events" VALUES('cf8ad4d9e25bd81545d80a8f1a720298',1794978940.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('cf8ad4d9e25bd81545d80a8f1a720298',1794978940.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('1fcc08c7733965bce66a034f70cc3e22',1794978940.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('1fcc08c7733965bce66a034f70cc3e22',1794978940.0,2,'received','queued');
INSERT INTO "job_events" VALUES('1fcc08c7733965bce66a034f70cc3e22',1794978940.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('1fcc08c7733965bce66a034f70cc3e22',1794978940.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('1fcc08c7733965bce66a034f70cc3e22',1794978940.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('1fcc08c7733965bce66a034f70cc3e22',1794978940.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('1fcc08c7733965bce66a034f70cc3e22',1794978940.0,6,'merging','delivering');
INSERT INTO "job_events" VALUES('1fcc08c7733965bce66a034f70cc3e22',1794978940.0,7,'delivering','notifying');
INSERT INTO "job_events" VALUES('c20dea4d876b5b8fb0a1814b43017030',1794978940.0,0,NULL,'received');
INSERT INTO "job_events" VALUES('c20dea4d876b5b8fb0a1814b43017030',1794978940.0,2,'received','queued');
INSERT INTO "job_events" VALUES('c20dea4d876b5b8fb0a1814b43017030',1794978940.0,3,'queued','submitting');
INSERT INTO "job_events" VALUES('c20dea4d876b5b8fb0a1814b43017030',1794978940.0,3,'submitting','generating');
INSERT INTO "job_events" VALUES('c20dea4d876b5b8fb0a1814b43017030',1794978940.0,4,'generating','downloading');
INSERT INTO "job_events" VALUES('c20dea4d876b5b8fb0a1814b43017030',1794978940.0,5,'downloading','merging');
INSERT INTO "job_events" VALUES('c20dea4d876b5b8fb0a1814b43017030',1794978940.0,6,'merging','delivering');
CREATE TABLE "jobs" (
    id                 TEXT PRIMARY KEY CHECK (length(id) = 32),
    state              TEXT NOT NULL CHECK (state IN (
                           'received', 'queued', 'submitting', 'unconfirmed', 'undecided',
                           'generating', 'downloading', 'merging', 'delivering', 'notifying',
                           'succeeded', 'failed', 'cancelled')),
    epoch              INTEGER NOT NULL DEFAULT 0,
    attempts           INTEGER NOT NULL DEFAULT 0,
    next_at            REAL,
    created_at         REAL NOT NULL,
    updated_at         REAL NOT NULL,

    backend            TEXT NOT NULL,
    prompt             TEXT NOT NULL,
    model              TEXT,
    seconds            INTEGER NOT NULL,
    size               TEXT NOT NULL,
    fingerprint        TEXT NOT NULL,

    -- Who asked: a command in Discord, which is one job even when it is sent twice, ...
    interaction_id     INTEGER UNIQUE,
    application_id     INTEGER,
    user_id            INTEGER,
    guild_id           INTEGER,
    channel_id         INTEGER,
    locale             TEXT,
    token              TEXT,
    token_until        REAL,
    upload_limit       INTEGER,
    message_id         INTEGER,
    -- Whether the bot itself can edit the message once the token is dead.
    by_bot             INTEGER NOT NULL DEFAULT 1,
    -- ... or a client over HTTP, under a key of its own if it likes.
    client             TEXT,
    client_key         TEXT,
    client_digest      TEXT,

    attachment_name    TEXT,
    attachment_size    INTEGER,
    attachment_url     TEXT,
    -- The jobs whose narration, and whose finished video, this one takes over; they may be gone.
    narration_of       TEXT,
    clip_of            TEXT,

    create_key         TEXT,
    submitted_at       REAL,
    submits            INTEGER NOT NULL DEFAULT 0,
    misses             INTEGER NOT NULL DEFAULT 0,
    remote_id          TEXT,
    generating_at      REAL,
    deadline_at        REAL,
    late               INTEGER NOT NULL DEFAULT 0,
    progress           INTEGER CHECK (progress BETWEEN 0 AND 100),
    cost_usd           REAL,

    dm_intent_at       REAL,
    failure_key        TEXT,
    failure_fields     TEXT,
    note               TEXT,
    deleted_at         REAL, clip_has_voice INTEGER NOT NULL DEFAULT 0, card_gone INTEGER NOT NULL DEFAULT 0, erased_at REAL, attachment_text TEXT, sent_prompt TEXT,

    CHECK ((client IS NULL) = (interaction_id IS NOT NULL)),
    CHECK (client IS NOT NULL OR (application_id IS NOT NULL AND user_id IS NOT NULL
        AND channel_id IS NOT NULL AND locale IS NOT NULL AND token_until IS NOT NULL
        AND upload_limit IS NOT NULL)),
    CHECK (state IN ('received', 'failed', 'cancelled') OR message_id IS NOT NULL
        OR client IS NOT NULL),
    CHECK (state NOT IN ('generating', 'downloading', 'merging', 'delivering', 'notifying',
                         'succeeded') OR remote_id IS NOT NULL OR clip_of IS NOT NULL)
) STRICT;
INSERT INTO "jobs" VALUES('d4bbf49e389e4f007cb4902ec8742e0a','received',212,0,1795086400.0,1794978400.0,1794978400.0,'openai','a cat on a roof, state received','sora-2',8,'1280x720','339d6a25e75b432fc58a2e755969badb71a6185e288d28f625555a27b40b4df8',1000,1572568720998400000,1572568720998400001,1572568720998400002,1572568720998400003,'en-US','an-old-interaction-token',1794996400.0,10000000,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('138ec888b1554c306a389e76fef552de','queued',220,0,1795086400.0,1794978400.0,1794978400.0,'openai','a cat on a roof, state queued','sora-2',8,'1280x720','384e596e530d05beb205f02b01ee16658f8233b0783e624b92014b6f9249d957',1001,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9000,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('84920d6244b31d5ffdc52dc74a560bcb','submitting',219,0,1795086400.0,1794978400.0,1794978400.0,'openai','a cat on a roof, state submitting','sora-2',8,'1280x720','56c3e97e6be2d673d4fa12d3d15558cd21d076efa3a7ab5b1b9e193d82a1674d',1002,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9001,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'951a663e4fd6480083c14b337f60d0f4',1794978400.0,1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('20401d280eb4a9e1bdc4ccf49d81b916','unconfirmed',215,0,1795086400.0,1794978400.0,1794978400.0,'openai','a cat on a roof, state unconfirmed','sora-2',8,'1280x720','4fdd9c6fdd3f8ee6e8e97847c36349fda287ccb06f72b538f11b282a00f6b14d',1003,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9002,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2896c8c6a0ad46e2a3c67d6162e3a14a',1794978400.0,1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, state unconfirmed');
INSERT INTO "jobs" VALUES('cc673010c3acfac12b52d5c02af09545','undecided',215,0,1795086400.0,1794978400.0,1794978580.0,'openai','a cat on a roof, state undecided','sora-2',8,'1280x720','9b7b2f5aa9afbe6ec1e60115d75a8f71c6780ca2532a17a4605ce3746a8eb964',1004,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9003,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'202dbab6e2f94f91bfd7290d3955a033',1794978400.0,1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, state undecided');
INSERT INTO "jobs" VALUES('0401d41b41d05074a27d03fc4d65682d','downloading',212,0,1795086400.0,1794978580.0,1794978580.0,'openai','a cat on a roof, state downloading','sora-2',8,'1280x720','48d38512f0ee62fe881158cad0f4dbc07556750453b3e197db427c96309320e2',1005,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9004,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'bb3ad5be98064247bb68edfbd81f02b6',1794978580.0,1,0,'video_4',1794978580.0,1794980380.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, state downloading');
INSERT INTO "jobs" VALUES('960c973da87f37b238ed8c3e815e7390','merging',209,0,1795086400.0,1794978580.0,1794978580.0,'openai','a cat on a roof, state merging','sora-2',8,'1280x720','6c537e608b47c0088a52e21b8a2c9ad5856f26aba119bfb79775ba681a39b201',1006,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9005,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'1f060fe95c2d4d938da38ffab41a5384',1794978580.0,1,0,'video_5',1794978580.0,1794980380.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, state merging');
INSERT INTO "jobs" VALUES('ce7a7ff649fc123be52ae5bc0c9ed02c','delivering',205,0,1795086400.0,1794978580.0,1794978580.0,'openai','a cat on a roof, state delivering','sora-2',8,'1280x720','728fcfcbb6dfb8cf7459bbe9e40c5c52a2ae43332c333a45431d008526060dba',1007,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9006,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'80d05a97af1b43bf9f6c145da6c7f0b7',1794978580.0,1,0,'video_6',1794978580.0,1794980380.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, state delivering');
INSERT INTO "jobs" VALUES('0d729778b21e27e900562bd7d82c91b7','notifying',200,0,1795086400.0,1794978580.0,1794978580.0,'openai','a cat on a roof, state notifying','sora-2',8,'1280x720','a1724794b8ef9b0d7d02c75e33a9c212c00ad94247634ae7fa5b85dc06d742c4',1008,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9007,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'e78f8f93447c41039bd0cf692b9e7478',1794978580.0,1,0,'video_7',1794978580.0,1794980380.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, state notifying');
INSERT INTO "jobs" VALUES('0664bd5bba34cce5b9a4327866b865bf','succeeded',8,0,NULL,1794978580.0,1794978580.0,'openai','a cat on a roof, state succeeded','sora-2',8,'1280x720','43800277881d26fec6599c8c4b863967ebb5198215535ce28fac24fea0dd6a3d',1009,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9008,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'6dc5fc4f456b49f38cf205d97ecd7a0c',1794978580.0,1,0,'video_8',1794978580.0,1794980380.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, state succeeded');
INSERT INTO "jobs" VALUES('483ea18e45c2efff404f34e5f9d9c883','generating',181,0,1795086400.0,1794978580.0,1794978580.0,'openai','a cat on a roof, state generating','sora-2',8,'1280x720','7a0b7f8bf0f09b5411f24fc3e2a5557882cd4a959846e8b7dfc513e71e5a86e9',1010,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9009,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'dc09237f4a43467581ec8c7f14f0974e',1794978580.0,1,0,'video_9',1794978580.0,1794980380.0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, state generating');
INSERT INTO "jobs" VALUES('5aa80a32407389688f5989a1e15c64b1','cancelled',2,0,NULL,1794978580.0,1794978580.0,'openai','a cat on a roof, state cancelled','sora-2',8,'1280x720','09cc2b22275311f238607b6b15776986709258c654df90a21e485d5f66c505a0',1011,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9010,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('978eca2a072eb50a78be21262683339b','failed',4,0,NULL,1794978580.0,1794978580.0,'openai','a cat on a roof, state failed','sora-2',8,'1280x720','0d57614672ce2723d3dad7c98f167913e2c88501eb2a3cec61c0fff987c06bba',1012,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9011,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'f4bc0fab4b454b609d20be23e736f90a',NULL,1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.moderated','{}',NULL,NULL,0,0,NULL,NULL,'a cat on a roof, state failed');
INSERT INTO "jobs" VALUES('3f262d56e913ae615fe90590f49d21d8','undecided',181,0,1795086400.0,1794978580.0,1794978760.0,'openai','a cat on a roof, another undecided','sora-2',8,'1280x720','905e68cb9299ccfbf010431ac18e1d4e11e92f98c6ab0251217bdda6b0a7dfac',1013,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9012,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2ca01ed279e74360ae6d9c01ccd58705',1794978580.0,1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, another undecided');
INSERT INTO "jobs" VALUES('90c614d2a9f82d28b78b1626e8c7e9a6','succeeded',8,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, narrated','sora-2',8,'1280x720','9c73a9f565e232bf541ba4d808b07b2edba1529cc5705e321e43c7b6da262f21',1014,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9013,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,'1c983590db6b4d8f93ef5149ee562a1e',1794978760.0,1,0,'video_12',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, narrated');
INSERT INTO "jobs" VALUES('8e19545f050320bc5fa35f5615ce31d1','succeeded',8,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, spoken','sora-2',8,'1280x720','77b78242c265cd02375c01f9e1f83e2f989f74676796780c59494e8f87bf0c51',1015,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9014,1,NULL,NULL,NULL,'narration',0,NULL,NULL,NULL,'365bc0a5e5544d8090947745e2d7771d',1794978760.0,1,0,'video_13',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,'A cat sits on a roof.','a cat on a roof, spoken');
INSERT INTO "jobs" VALUES('22eed154ded9bccd36129fdb3bee4d40','merging',164,0,1795086400.0,1794978760.0,1794978760.0,'openai','a cat on a roof, merging a narration','sora-2',8,'1280x720','cd820191b4999a1542550d175e57a52f130bbbc15926fb5ad6d6703b0baa04c9',1016,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9015,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,'f4ce5c287d6741b49bf3de7562f38362',1794978760.0,1,0,'video_14',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, merging a narration');
INSERT INTO "jobs" VALUES('afba2d06f68eaf356f8b10fdb232f047','succeeded',5,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, another narration','sora-2',8,'1280x720','5758e871e72b8805e9a8879474ac08723ce691b6592b95b2e767a5ee5aa18def',1017,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9016,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,'90c614d2a9f82d28b78b1626e8c7e9a6',NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('b4c9e14061c2fd453b36700e3b0da008','succeeded',8,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, again','sora-2',8,'1280x720','ea4ffba80330b4ca52a631fc79ebed457156b01c5db38e0741cd92b7174258d4',1018,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9017,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,'90c614d2a9f82d28b78b1626e8c7e9a6',NULL,'085808353b994743a6e5d1be3d502e1f',1794978760.0,1,0,'video_15',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, again');
INSERT INTO "jobs" VALUES('089001a35679a33ef3db0ca350db9b9a','generating',20,0,1795086400.0,1794978760.0,1794978760.0,'openai','a cat on a roof, late','sora-2',8,'1280x720','82b505b68f2ccd40b7b3e0e75c88da45fae880205f8ebe9d573125ea1f282377',1019,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9018,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'b910079982314ac4b00fe82199009f99',1794978760.0,1,0,'video_16',1794978760.0,1794980560.0,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, late');
INSERT INTO "jobs" VALUES('8781ea4e71c897e06b7b6f89ce6e3671','generating',20,0,1795086400.0,1794978760.0,1794978760.0,'openai','a cat on a roof, half made','sora-2',8,'1280x720','84ba781cf7c4e07dcbeeaebbcc5c6d75188df1397a1e70cb9ac642316e1de3b8',1020,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9019,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'0ad49cc4012c4c99aee9d477c3a68db3',1794978760.0,1,0,'video_17',1794978760.0,1794980560.0,0,55,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, half made');
INSERT INTO "jobs" VALUES('d7cd2c0b3ad9712cfba906931700b0b5','succeeded',8,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, in German','sora-2',8,'1280x720','0b3b6b03da3c365ab86239f52af92874277e7aace7bf9ffcda145a3835fbdb48',1021,1572568720998400000,1572568720998400001,1572568720998400002,4242,'de',NULL,1794996400.0,10000000,9020,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'e5aafae93d6246a7812ed181c1587f03',1794978760.0,1,0,'video_18',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, in German');
INSERT INTO "jobs" VALUES('d3a571ccd92c9770ad78212fa738a3ee','succeeded',8,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, in Japanese','sora-2',8,'1280x720','37aa76c0d8d83458e70ed61831c6503786b59ff4190532c8fa3743acb5802d69',1022,1572568720998400000,1572568720998400001,1572568720998400002,4242,'ja',NULL,1794996400.0,10000000,9021,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'321e65ee49404ca1bd05750e87e14129',1794978760.0,1,0,'video_19',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, in Japanese');
INSERT INTO "jobs" VALUES('ffb2f437d3f828a06427c1218150ddcf','succeeded',8,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, in a DM','sora-2',8,'1280x720','6ae1b11979c492f153158cb044385302b735eb601ef7bf830060454d78e995f0',1023,1572568720998400000,1572568720998400001,NULL,4242,'en-US',NULL,1794996400.0,10000000,9022,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'c1e51a825fd647199631f13b82a81268',1794978760.0,1,0,'video_20',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, in a DM');
INSERT INTO "jobs" VALUES('470d53ae8fe3267fbd2b74389ffa5d8e','succeeded',8,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, card gone','sora-2',8,'1280x720','465c4b5edb40f96e16c92bcdbbd126f366420bddf1aeaea658e911453a67d3e9',1024,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9023,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'f5d738d826ef46249e0f64157f3721a8',1794978760.0,1,0,'video_21',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,1,NULL,NULL,'a cat on a roof, card gone');
INSERT INTO "jobs" VALUES('1fca0e56f423072b89a3d895bbf984c6','generating',20,0,1795086400.0,1794978760.0,1794978760.0,'openai','a cat on a roof, written prompt','sora-2',8,'1280x720','8c1a3da24a92c0c98917092ed3abe2515dc8069c76b1d0a94b5b4163ceaa8236',1025,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9024,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'691662ab289f4de7abc8e9fd3707c5fd',1794978760.0,1,0,'video_22',1794978760.0,1794980560.0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, written prompt Slow pan.');
INSERT INTO "jobs" VALUES('3aa3da219fd843fbb6cac97ce107c114','cancelled',4,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, cancelled late','sora-2',8,'1280x720','88bf12c99e57796eb31c27004b5e7e72f4e5b8d146ee57cd9dd9e75f28e6d435',1026,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9025,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'439ea98d632d4709b7c9022484a11afd',1794978760.0,1,0,'video_23',1794978760.0,1794980560.0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, cancelled late');
INSERT INTO "jobs" VALUES('2b6d24014813e5cc98930cc17399699c','cancelled',3,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, cancelled narration','sora-2',8,'1280x720','ea76a8ed435befbbff48355975d3e7c224e10b614f0c9effb9f614aad549a282',1027,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9026,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,'90c614d2a9f82d28b78b1626e8c7e9a6',NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('1185f37d33b0f89e331f101a51bb8e51','succeeded',9,0,NULL,1794978760.0,1794978760.0,'openai','','sora-2',8,'1280x720','',1028,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9027,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'537e24d79c1e4858920041081626a97a',1794978760.0,1,0,'video_24',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,NULL,1794978760.0,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('818d60d36afc2dd3117d2d768a08ecdb','succeeded',8,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, somebody else''s','sora-2',8,'1280x720','67e5278ed683d6608b121c981d3d7f6b0d793600b0c86d66786bf8e9ad668fc7',1029,1572568720998400000,1001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9028,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2ae8d63b3216435fb0ae0c625ebff409',1794978760.0,1,0,'video_25',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, somebody else''s');
INSERT INTO "jobs" VALUES('ca6d8b821731737408cb3b250504f7a2','succeeded',8,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, note.not_merged','sora-2',8,'1280x720','effd2ddb49126a5c5c4f5930a82b3d6537aff4985f5b8ef3669dddd7bc695f5d',1030,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9029,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,'5620d94d7b1147fa9a57f117321e923b',1794978760.0,1,0,'video_26',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,'note.not_merged',NULL,0,0,NULL,NULL,'a cat on a roof, note.not_merged');
INSERT INTO "jobs" VALUES('67675e5bd22aef8d391d6135fb2de68a','succeeded',8,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, note.held_instead','sora-2',8,'1280x720','3e01c73a216f4d21bc853f6b02e6e39c8c98d412ed5454f4251c4d516f6ceecc',1031,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9030,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,'5bad602e5cae49098ade8ab1c5b1937f',1794978760.0,1,0,'video_27',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,'note.held_instead',NULL,0,0,NULL,NULL,'a cat on a roof, note.held_instead');
INSERT INTO "jobs" VALUES('041d2fde9d42c35acabd938624d08722','succeeded',8,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, note.silent','sora-2',8,'1280x720','ca7f4b99e129d3170cefaca5f25cb3113b729dd50c1dbb2c7a2e5ccccfb135ee',1032,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9031,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,'c1e45026c50f461caadea4c7110b7c69',1794978760.0,1,0,'video_28',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,'note.silent',NULL,0,0,NULL,NULL,'a cat on a roof, note.silent');
INSERT INTO "jobs" VALUES('c570472337299f6a397d6a8d26a60908','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.moderated','sora-2',8,'1280x720','ca5c487b4c8c0d6cd87fe6d7e6dd301dfe6d6ac5979e54289d018ee7c5d52b6b',1033,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9032,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.moderated','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('c7e378d8748d40221a4efdc5d1bf299a','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.invalid','sora-2',8,'1280x720','7c1b1099c6a371ca7952cff8ddf8915ae83aa32824ea867d6ee8685ec8836797',1034,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9033,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.invalid','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('3ebe697f1655c58a307289752d42e7fd','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.auth','sora-2',8,'1280x720','58e1273bc3168f655940be5ff29a25ddfb1782364bed4e60018570d0cb22ba5b',1035,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9034,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.auth','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('47435618cd5b970cff892441656d0389','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.balance','sora-2',8,'1280x720','2085dcc764014c4611bd1eb0c5d0d87feb96818aa97647d43b8927e02d324652',1036,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9035,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.balance','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('964ab62b36531f0484ab51d36aaaaa8e','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.setup','sora-2',8,'1280x720','ac7711a0fbd8ee85fc083a654db35eaa93ec4a4aa82f3b4dd6ae9ce279968574',1037,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9036,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.setup','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('fe2f312f32cf400e58bd38441111514e','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.rate','sora-2',8,'1280x720','dbb08df180793450127dd7e2d3728bc32b20d780054589ef876e3d93ee6cb014',1038,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9037,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.rate','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('3a8dce0e1e29b84889739e1da1183a36','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.transient','sora-2',8,'1280x720','339f09192308d618461b5b5e88c4c172db609c07261fed14d0c03e2b9d445e7f',1039,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9038,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.transient','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('0a285a9e2651226cdb18ee96744cc899','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.gone','sora-2',8,'1280x720','dd5c252d4677c3b9cc7f27a26cb2540949d8f949364dc869af7de09028bac4de',1040,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9039,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.gone','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('22cb42b0818cc62099ca07c12fc7b76c','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.internal','sora-2',8,'1280x720','9dfa97ce12839dc12a45d95a05cd6228fe91bdb47c3fc4a183b127f536ba9c4d',1041,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9040,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.internal','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('cfb4215884650267010c6c8e6188c6a4','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.not_a_video','sora-2',8,'1280x720','d83baf0078663914c74758c14b9c0f4d2bc45fe09a7e61021d0c319fb8c6584c',1042,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9041,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,'video_failed.not_a_video',NULL,NULL,0,NULL,NULL,NULL,'failed.not_a_video','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('8f67e5eba03ecc88bc1326c903a5f174','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.timeout','sora-2',8,'1280x720','3ab95c1130b59eb3f1bf200a3835881d9647fc2e1210a99599c97807de584517',1043,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9042,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,'video_failed.timeout',NULL,NULL,0,NULL,NULL,NULL,'failed.timeout','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('cbef04fd42cafaddff58a651a93d5aca','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.unavailable','sora-2',8,'1280x720','7678f3443a19b2ae97c607953cca900180db61f5ede0999940d712ce02a36132',1044,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9043,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.unavailable','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('7445f4cf61b7c162bca3a7075b4c2039','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.unchecked','sora-2',8,'1280x720','5dde9e7321e9f07badfcaf7f0b00085cc45f6a0952fe7c175c73eb2722eb841b',1045,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9044,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.unchecked','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('459673555de7e45c471082f8f3248ffa','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.file_gone','sora-2',8,'1280x720','71a3c8f51bee024e279c8443b1c84bf889d86160701755a1e6f5c8003075c72a',1046,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9045,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.file_gone','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('541cf2438cf30a13d975d022dfe1ea90','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.unacknowledged','sora-2',8,'1280x720','7c94362efa889bc846e13a4bc226bfa0bcbd1a9851f3dc513a76740a68066104',1047,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9046,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.unacknowledged','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('718b26de09e1a9c4829cca4d4d9c797f','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.found_minors','sora-2',8,'1280x720','3909d32278aba705ea41915c315e89ea74ad33edb249484f52120d8b80fcf819',1048,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9047,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.found_minors','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('acf1ab5854475cb5277edc2da7c552e7','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.found_self_harm','sora-2',8,'1280x720','3096182e59fe05756dade86281af0d6e27a7bed3158d4b81369136fd3c51593d',1049,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9048,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.found_self_harm','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('8a8d38d56036950a720700a8f01d38c4','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.found_hate','sora-2',8,'1280x720','78aae668381b4750cfe29e98b2de4dddf5a667af8466ff865a47b0c345f03b79',1050,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9049,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.found_hate','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('4dc8ba6b0c4f9bff8a53cc6e5db3af24','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.found_harassment','sora-2',8,'1280x720','edf174c02447319eebe8ed5dddacf37211a717e8e24e7ff4a091d6053a8235bd',1051,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9050,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.found_harassment','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('eff90d605ff40d7f06b77a6a9d1228ab','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.found_illicit','sora-2',8,'1280x720','2b2a48e5173ac4c0fcbdb544e116aee8f62780293b3c2439f44a43fa1250c653',1052,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9051,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.found_illicit','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('412a2a80b3817399cf9c82a7c634c255','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.found_sexual','sora-2',8,'1280x720','9e1c4543e680bd149a140ee9c168cab8addb3d0ce45b77eb0629f78aa40b815d',1053,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9052,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.found_sexual','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('ecfb1c4a83c53ff1b57f96493a699d43','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.found_violence','sora-2',8,'1280x720','0e87663ae2fb827e758c18c7245fc35b8bb01d82c17638bc53b04d46e1d53e43',1054,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9053,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.found_violence','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('473b1cdab463ba352340045281a41a9a','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.found_other','sora-2',8,'1280x720','748a9e851faaa549f9c75d187f3160cfde1e7f5692d022dab572e31af5f0b072',1055,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9054,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.found_other','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('6008056d6cef30663ec76d451e34fca7','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.bug','sora-2',8,'1280x720','7e9ce74e92fbbf26e8d4faf7e6ce947d9a9b6f90fe6932d0c0ea74a23939f2e6',1056,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9055,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.bug','{"incident": "6008056d6cef30663ec76d451e34fca7"}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('b1b21eb1cdb5d87ce786bce4568c3a59','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.clip_gone','sora-2',8,'1280x720','92ce8a9108255cd852cccbdb0968eb0ccc335101cb6e86d217710afe7c305bcb',1057,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9056,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,'90c614d2a9f82d28b78b1626e8c7e9a6',NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.clip_gone','{}',NULL,NULL,1,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('4d4851f1fbb78ea48d9314749c62f9b8','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, failed.not_narrated','sora-2',8,'1280x720','d8b1ea4fc0392cd3a1b0be01c4f8b7af2915aa75bf699000fe6c5358d68636f1',1058,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9057,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,'90c614d2a9f82d28b78b1626e8c7e9a6',NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.not_narrated','{}',NULL,NULL,1,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('ae6df0a79b6ef52bc11bb8dd980a5114','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, audio.empty','sora-2',8,'1280x720','e2c723d0838b2fb975cbda3088e1033545c909f5f77808e51d8eee1bec7553ba',1059,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9058,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'audio.empty','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('6af57d1f1be63bc40f8ad32974de7b63','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, audio.gone','sora-2',8,'1280x720','c64470383a15b78ebb5146a9b2ce646ce91866b2149dc43a587fbef3f43fee6f',1060,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9059,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'audio.gone','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('1ceb29e88c995c50a2efa0b953c9d2c5','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, audio.no_sound','sora-2',8,'1280x720','f1d3aebf09e1406beedc1f97147549fef6a42b059eae494e02f21db8ad7b071d',1061,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9060,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'audio.no_sound','{"found": "MP4 or M4A"}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('d805e04a207dbd98332f4c9562c6213a','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, audio.unreadable','sora-2',8,'1280x720','9292da4da74b75e573c4941278afaced427f0b401007f7f30b4bdd28d105fe21',1062,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9061,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'audio.unreadable','{"found": "WebM or Matroska"}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('70cc9c51c4ff664ebc7badbc5b35bf77','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, audio.not_audio','sora-2',8,'1280x720','9744396ef6d6cd0116f124473f9cedfdd5ed7f793a55d71bf77233eb791dca6a',1063,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9062,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'audio.not_audio','{"found": "text"}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('7e2da817f8069e333b820fc799332854','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, audio.not_kept','sora-2',8,'1280x720','ed6d6105085e6187522f68364eea66f88b8328026c4577c708c4a5254b08d058',1064,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9063,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'audio.not_kept','{}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('23813e13be2fcc227825f55f9bdc29f6','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, audio.too_large','sora-2',8,'1280x720','4e7a5561215b8402ece269960bdc4031244ebf1bc8a71f4d0f91cf3b54251f99',1065,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9064,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'audio.too_large','{"max_mb": 25}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('c7d36cafc4f041e0dfb8415da18ef646','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, audio.too_long','sora-2',8,'1280x720','4e41bce583842bc1082c2bd4cc8dddf61169ccc112fd1340a056be89854b4832',1066,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9065,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'audio.too_long','{"seconds": 912, "max_seconds": 600}',NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('0591ea31bb6bd676767517b064c7a46e','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, speech.moderated','sora-2',8,'1280x720','2cc3834111cde56d0c46550bdd1ce7ac7d9036363ffd259e3cc7fedab6118c5e',1067,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9066,1,NULL,NULL,NULL,'narration',0,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'speech.moderated','{}',NULL,NULL,0,0,NULL,'A cat sits on a roof.',NULL);
INSERT INTO "jobs" VALUES('0b01c87c61bb4c15716daff87c27ab27','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, speech.off','sora-2',8,'1280x720','ca849be09beff48b795d8133bf10c8a9802f17476020198678a0804858bab92d',1068,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9067,1,NULL,NULL,NULL,'narration',0,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'speech.off','{}',NULL,NULL,0,0,NULL,'A cat sits on a roof.',NULL);
INSERT INTO "jobs" VALUES('ce531ba65f588f6cf42d1805b826cdc3','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, speech.other_letters','sora-2',8,'1280x720','8d367f4e5e4c80235f97133098a1cd9d1cc039112619e7ffe97268c9c3b8a951',1069,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9068,1,NULL,NULL,NULL,'narration',0,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'speech.other_letters','{}',NULL,NULL,0,0,NULL,'A cat sits on a roof.',NULL);
INSERT INTO "jobs" VALUES('99f2d03573c256280bb3158eb3088435','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, speech.refused','sora-2',8,'1280x720','31f74e51f2bcc51b046ddbdc57088b3ddcb075f16f6fc640ab0067f000901354',1070,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9069,1,NULL,NULL,NULL,'narration',0,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'speech.refused','{}',NULL,NULL,0,0,NULL,'A cat sits on a roof.',NULL);
INSERT INTO "jobs" VALUES('a6c541f1e35fbd2ad8866c77d1c113ba','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, speech.unavailable','sora-2',8,'1280x720','422c54dd1413ca1ab9ff25d27f0dc3d11abbc70f696131335e3b83eb604e681c',1071,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9070,1,NULL,NULL,NULL,'narration',0,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'speech.unavailable','{}',NULL,NULL,0,0,NULL,'A cat sits on a roof.',NULL);
INSERT INTO "jobs" VALUES('931008bcb5d565a2f66819f852fabac3','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, speech.unspeakable','sora-2',8,'1280x720','bc10b47346e63badc57f5779a01710228eab769413c2958ea02232aa75eddb32',1072,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9071,1,NULL,NULL,NULL,'narration',0,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'speech.unspeakable','{}',NULL,NULL,0,0,NULL,'A cat sits on a roof.',NULL);
INSERT INTO "jobs" VALUES('08033fc7df73d9fbc3bf771837295f6d','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, speech.unsure','sora-2',8,'1280x720','56ae9469932971f70be7f1965a0b9e735218e105aa96186cac25fd0e8c21ba2c',1073,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9072,1,NULL,NULL,NULL,'narration',0,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'speech.unsure','{}',NULL,NULL,0,0,NULL,'A cat sits on a roof.',NULL);
INSERT INTO "jobs" VALUES('af30d8f87bad255aaa82a887100a7250','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, speech.unusable','sora-2',8,'1280x720','2a3475f05510cf6919792d811abc2fd591b6f2b2415e6d0808476944cad9be0c',1074,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9073,1,NULL,NULL,NULL,'narration',0,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'speech.unusable','{}',NULL,NULL,0,0,NULL,'A cat sits on a roof.',NULL);
INSERT INTO "jobs" VALUES('8edb6bfdb092ca9b059120ca5b5423e9','failed',2,0,NULL,1794978760.0,1794978760.0,'openai','a cat on a roof, speech.too_long','sora-2',8,'1280x720','1ae4264abe5133e3c550cbb1db18d13af1abb0f0b851b8a7e0386bfd5e447274',1075,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US',NULL,1794996400.0,10000000,9074,1,NULL,NULL,NULL,'narration',0,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'speech.too_long','{"max_seconds": 600}',NULL,NULL,0,0,NULL,'A cat sits on a roof.',NULL);
INSERT INTO "jobs" VALUES('f94b1a77fabd98c98015b0017b41c4dc','queued',32,0,1795086400.0,1794978760.0,1794978760.0,'old-auth','a cat on a roof, waits for auth','sora-2',8,'1280x720','69c17f256784641763f49523089085835df2e74f630cf983574dc3c646d61551',1076,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9075,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('66b4362b8f92d2a0cdcccb7fe3c9be6c','queued',31,0,1795086400.0,1794978760.0,1794978760.0,'old-balance','a cat on a roof, waits for balance','sora-2',8,'1280x720','cfa37a6f1463a1eee94551428b68e1c68869e2fa95be1177c56857d1ddf7c2c5',1077,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9076,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('07db85351edd4b42e806b87e319d5cc7','queued',30,0,1795086400.0,1794978760.0,1794978760.0,'old-setup','a cat on a roof, waits for setup','sora-2',8,'1280x720','f4e9ee4d9ca1e72d73c0045819bb41471e3049eca1b3cfde304ebae0476c337c',1078,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9077,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('2eb71ce095f9ce71360a5a0071522300','queued',29,0,1795086400.0,1794978760.0,1794978760.0,'old-outage','a cat on a roof, waits for outage','sora-2',8,'1280x720','4932aaeb874ae1ccf1ca353ed67808ba167d86d13e33502f5c6007daa1759daa',1079,1572568720998400000,1572568720998400001,1572568720998400002,4242,'en-US','an-old-interaction-token',1794996400.0,10000000,9078,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('99639033b086438f8c8728ef14dc2cc9','succeeded',5,0,NULL,1794978760.0,1794978760.0,'openai','a dog on a roof','sora-2',8,'1280x720','31265944a360ab26aa27d7febe78cea4d1e17f6ace6a3173baedee85409729b6',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,'web','order-1','89a298273961bb504955f21307f02c5aba314d1ebb94abfd372c255494b42e11',NULL,NULL,NULL,NULL,NULL,'3cf5fa79caa344ac82f6fd232dd4ea40',1794978760.0,1,0,'video_29',1794978760.0,1794980560.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a dog on a roof');
INSERT INTO "jobs" VALUES('3da4af82eb224d46b191cb96e7977b1c','failed',3,0,NULL,1794978760.0,1794978760.0,'openai','a dog on a car','sora-2',8,'1280x720','b758a5bb08ad2dff1f86e9a1612901b6108c622430402941f5301522cfe59d76',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,'web',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'47b2f0772ada4703996f172314505c5f',NULL,1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,'failed.moderated','{}',NULL,NULL,0,0,NULL,NULL,'a dog on a car');
INSERT INTO "jobs" VALUES('3023a4118b5241a38055951a11784aea','undecided',4,0,NULL,1794978760.0,1794978940.0,'openai','a dog on a tree','sora-2',8,'1280x720','8bb7b75ebdddd3b92f39520c78ec541a4ce2ba18be7a5777c3333f824c16bc87',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,'web','order-3','f7f0e29f594c93724c5ae79f7c4ad3abbe80431ea006f3a325d257bc4014df4e',NULL,NULL,NULL,NULL,NULL,'5d63d9a0eae241fda68ba66210f63963',1794978760.0,1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a dog on a tree');
INSERT INTO "jobs" VALUES('4ed04282bc364660aa3da152fe6fa649','cancelled',1,0,NULL,1794978940.0,1794978940.0,'openai','a dog on a boat','sora-2',8,'1280x720','828bfa9326e8d3a3d7836595fe542975b79f6ee4f1718b05f0a2bf8c8627cdb0',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,'web',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('cf8ad4d9e25bd81545d80a8f1a720298','generating',3,0,1794999999.0,1794978940.0,1794978940.0,'storyboard','a cat on a roof, resumed','sora-2',8,'1280x720','ec79e03190059dbb60642307ff77a7d602f9dbe9646ae604d8a38fdfa2061cb1',1080,1572568720998400000,1572568720998400001,1572568720998400002,1572568720998400003,'en-US','an-old-interaction-token',1794996400.0,10000000,1572568720998400004,1,NULL,NULL,NULL,'voice.ogg',1015,NULL,NULL,NULL,'9d26b1d926114abd8fd368cf2f62e91d',1794978940.0,1,0,'video_a8bc1dadde11805de6c09e20bf567150',1794978940.0,1794980740.0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, resumed');
INSERT INTO "jobs" VALUES('1fcc08c7733965bce66a034f70cc3e22','notifying',13,0,1795086400.0,1794978940.0,1794978940.0,'openai','a cat on a roof, told','sora-2',8,'1280x720','ddd2848ba56b18c0fca3a63edeb46c6da08efb40fd65909a3d73d94f51dc3f2a',1081,1572568720998400000,1572568720998400001,1572568720998400002,1572568720998400003,'en-US','an-old-interaction-token',1794996400.0,10000000,1572568720998400005,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'4d46f08470d04ce5a328e23367b91554',1794978940.0,1,0,'video_33',1794978940.0,1794980740.0,0,100,NULL,1794978940.0,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, told');
INSERT INTO "jobs" VALUES('c20dea4d876b5b8fb0a1814b43017030','delivering',6,0,1795086400.0,1794978940.0,1794978940.0,'openai','a cat on a roof, held','sora-2',8,'1280x720','be1da07265aafdc37483bb3c6299212a788dd1f1aeec5ddad69bfa39548edc6d',1082,1572568720998400000,1572568720998400001,1572568720998400002,1572568720998400003,'en-US','an-old-interaction-token',1794996400.0,1000,1572568720998400006,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'1ff73c5852114574a2db965b135a118d',1794978940.0,1,0,'video_34',1794978940.0,1794980740.0,0,100,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'a cat on a roof, held');
CREATE TABLE people (
    user_id        INTEGER PRIMARY KEY,
    notify         TEXT NOT NULL DEFAULT 'always' CHECK (notify IN ('always', 'never', 'late')),
    notify_minutes INTEGER NOT NULL DEFAULT 0,
    dm_closed_at   REAL
) STRICT;
INSERT INTO "people" VALUES(1001,'never',0,NULL);
INSERT INTO "people" VALUES(1002,'late',15,NULL);
INSERT INTO "people" VALUES(1003,'always',0,1794992800.0);
INSERT INTO "people" VALUES(1004,'always',0,NULL);
CREATE TABLE "speeches" (
    id             INTEGER PRIMARY KEY,
    interaction_id INTEGER UNIQUE,
    user_id        INTEGER,
    client         TEXT,
    at             REAL NOT NULL,
    CHECK ((user_id IS NULL) <> (client IS NULL))
) STRICT;
INSERT INTO "speeches" VALUES(1,NULL,NULL,'web',1794998200.0);
INSERT INTO "speeches" VALUES(2,501,1572568720998400001,NULL,1794996400.0);
CREATE TABLE spent_refs (
    backend   TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    PRIMARY KEY (backend, remote_id)
) STRICT;
CREATE TABLE upload_limits (
    guild_id   INTEGER PRIMARY KEY,
    bytes      INTEGER NOT NULL,
    learned_at REAL NOT NULL
) STRICT;
INSERT INTO "upload_limits" VALUES(0,20971520,1794996400.0);
INSERT INTO "upload_limits" VALUES(1572568720998400002,8388608,1794996400.0);
CREATE INDEX job_events_by_job ON job_events (job_id, at);
CREATE INDEX inbox_by_remote_id ON inbox (backend, remote_id);
CREATE INDEX inbox_by_age ON inbox (received_at);
CREATE UNIQUE INDEX jobs_by_remote_id ON jobs (backend, remote_id) WHERE remote_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_one_create ON jobs (backend, fingerprint)
    WHERE state IN ('submitting', 'unconfirmed');
CREATE INDEX jobs_due ON jobs (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX jobs_by_user ON jobs (user_id, created_at);
CREATE INDEX jobs_by_day ON jobs (created_at);
CREATE INDEX jobs_open ON jobs (user_id) WHERE state IN ('received', 'queued', 'submitting',
    'unconfirmed', 'generating', 'downloading', 'merging');
CREATE INDEX jobs_by_client ON jobs (client, created_at) WHERE client IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_client_key ON jobs (client, client_key) WHERE client_key IS NOT NULL;
CREATE INDEX jobs_by_message ON jobs (message_id) WHERE message_id IS NOT NULL;
CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs BEGIN
    INSERT INTO job_events (job_id, at, epoch, from_state, to_state)
    VALUES (NEW.id, NEW.created_at, NEW.epoch, NULL, NEW.state);
END;
CREATE TRIGGER jobs_moved AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state BEGIN
    INSERT INTO job_events (job_id, at, epoch, from_state, to_state)
    VALUES (NEW.id, NEW.updated_at, NEW.epoch, OLD.state, NEW.state);
END;
CREATE TRIGGER jobs_dropped AFTER DELETE ON jobs WHEN OLD.remote_id IS NOT NULL BEGIN
    INSERT INTO spent_refs (backend, remote_id) VALUES (OLD.backend, OLD.remote_id)
    ON CONFLICT DO NOTHING;
END;
CREATE INDEX speeches_by_age ON speeches (at);
COMMIT;
PRAGMA user_version = 12;
