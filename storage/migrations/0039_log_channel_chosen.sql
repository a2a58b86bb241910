-- A log channel that is chosen, also the same one again, counts as open until Discord refuses the next message there.
CREATE TRIGGER log_channel_chosen BEFORE INSERT ON access_settings WHEN NEW.name = 'log_channel' BEGIN
    DELETE FROM closed_log_channels;
END;
CREATE TRIGGER log_channel_removed BEFORE UPDATE ON access_settings
WHEN NEW.name = 'log_channel' AND NEW.value IS NULL BEGIN
    DELETE FROM closed_log_channels;
END;
