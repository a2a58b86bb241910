-- A log channel that is chosen, also the same one again, counts as open until Discord refuses the next message there.
CREATE FUNCTION log_channel_chosen() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM closed_log_channels;
    RETURN NEW;
END $$;
CREATE TRIGGER log_channel_chosen BEFORE INSERT ON access_settings FOR EACH ROW
    WHEN (NEW.name = 'log_channel')
    EXECUTE FUNCTION log_channel_chosen();
CREATE TRIGGER log_channel_removed BEFORE UPDATE ON access_settings FOR EACH ROW
    WHEN (NEW.name = 'log_channel' AND NEW.value IS NULL)
    EXECUTE FUNCTION log_channel_chosen();
