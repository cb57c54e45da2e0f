using Lifeboat.EngineTests.Sources.MySql;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Copies that a restore makes neutral before anybody can use them, by the program itself.</summary>
public sealed class NeutralizeTests : IDisposable
{
    /// <summary>Tables as Odoo 17 and 18 have them; of the columns those that matter here.</summary>
    private const string Odoo = """
        CREATE TABLE ir_mail_server (id serial PRIMARY KEY, name text NOT NULL, smtp_host text NOT NULL, smtp_port int NOT NULL, smtp_encryption text NOT NULL,
          smtp_authentication text NOT NULL, active bool);
        INSERT INTO ir_mail_server (name, smtp_host, smtp_port, smtp_encryption, smtp_authentication, active) VALUES ('real', 'mail.example', 25, 'none', 'login', true);
        CREATE TABLE mail_template (id serial PRIMARY KEY, mail_server_id int); INSERT INTO mail_template (mail_server_id) VALUES (1);
        CREATE TABLE fetchmail_server (id serial PRIMARY KEY, active bool); INSERT INTO fetchmail_server (active) VALUES (true);
        CREATE TABLE ir_cron (id serial PRIMARY KEY, active bool); INSERT INTO ir_cron (active) VALUES (true), (true), (true);
        CREATE TABLE ir_model_data (id serial PRIMARY KEY, model text, name text, res_id int); INSERT INTO ir_model_data (model, name, res_id) VALUES ('ir.cron', 'autovacuum_job', 2);
        CREATE TABLE payment_provider (id serial PRIMARY KEY, state text); INSERT INTO payment_provider (state) VALUES ('enabled'), ('test'), ('disabled');
        CREATE TABLE delivery_carrier (id serial PRIMARY KEY, prod_environment bool); INSERT INTO delivery_carrier (prod_environment) VALUES (true);
        CREATE TABLE iap_account (id serial PRIMARY KEY, account_token text); INSERT INTO iap_account (account_token) VALUES ('abc'), ('def+x');
        CREATE TABLE ir_act_server (id serial PRIMARY KEY, webhook_url text); INSERT INTO ir_act_server (webhook_url) VALUES ('https://hooks.example');
        CREATE TABLE base_automation (id serial PRIMARY KEY, webhook_uuid text); INSERT INTO base_automation (webhook_uuid) VALUES ('known');
        CREATE TABLE auth_oauth_provider (id serial PRIMARY KEY, enabled bool); INSERT INTO auth_oauth_provider (enabled) VALUES (true);
        CREATE TABLE res_users_settings (id serial PRIMARY KEY, google_calendar_rtoken text, google_calendar_token text, microsoft_calendar_rtoken text, microsoft_calendar_token text);
        INSERT INTO res_users_settings (google_calendar_rtoken, google_calendar_token, microsoft_calendar_rtoken, microsoft_calendar_token) VALUES ('a', 'b', 'c', 'd');
        CREATE TABLE website (id serial PRIMARY KEY, domain text, cdn_activated bool); INSERT INTO website (domain, cdn_activated) VALUES ('https://shop.example', true);
        CREATE TABLE ir_config_parameter (id serial PRIMARY KEY, key text UNIQUE NOT NULL, value text NOT NULL);
        INSERT INTO ir_config_parameter (key, value) VALUES ('database.uuid', 'old-uuid'), ('database.secret', 'old-secret'), ('database.enterprise_code', 'M123'), ('web.base.url', 'kept');
        CREATE TABLE res_users (id serial PRIMARY KEY, email text); INSERT INTO res_users (email) VALUES ('a@example'), ('b@example');
        """;

    private const string State = """
        SELECT string_agg(name || active, ',' ORDER BY id) FROM ir_mail_server; SELECT count(mail_server_id) FROM mail_template; SELECT active FROM fetchmail_server;
        SELECT string_agg(active::text, ',' ORDER BY id) FROM ir_cron; SELECT string_agg(state, ',' ORDER BY id) FROM payment_provider; SELECT prod_environment FROM delivery_carrier;
        SELECT string_agg(account_token, ',' ORDER BY id) FROM iap_account; SELECT count(webhook_url) FROM ir_act_server; SELECT webhook_uuid = 'known' FROM base_automation;
        SELECT enabled FROM auth_oauth_provider; SELECT num_nonnulls(google_calendar_rtoken, google_calendar_token, microsoft_calendar_rtoken, microsoft_calendar_token) FROM res_users_settings;
        SELECT count(domain), cdn_activated FROM website GROUP BY 2; SELECT string_agg(key || CASE WHEN value LIKE '________-____-%' THEN '' ELSE value END, ',' ORDER BY key) FROM ir_config_parameter;
        SELECT string_agg(email, ',' ORDER BY id) FROM res_users;
        """;

    private const string AsItWas =
        "realtrue|1|t|true,true,true|enabled,test,disabled|t|abc,def+x|1|t|t|4|1|t|database.enterprise_codeM123,database.secretold-secret,database.uuidold-uuid,web.base.urlkept|a@example,b@example";

    private const string Neutral =
        "realfalse,neutral copy: no mailtrue|0|f|false,true,false|disabled,test,disabled|f|abc+disabled,def+disabled|0|f|f|0|0|f|"
        + "database.enterprise_code,database.is_neutralizedtrue,database.secret,database.uuid,web.base.urlkept|nobody-1@it's,nobody-2@it's";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_Odoo_database_is_neutral_in_another_place_and_as_it_was_in_its_own()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        server.CreateDatabase("odoo");
        server.Sql("odoo", Odoo);
        WriteAppFile($$"""main: {type: postgres, url: "{{server.SocketUrl("odoo")}}", neutralize: [odoo, "UPDATE res_users SET email = 'nobody-' || id || '@it''s'"]}""");
        Succeed("backup");
        string[] elsewhere = ["--target", $"main={server.SocketUrl("copy")}"];

        ProgramRun plan = LifeboatProgram.Run(_folder.Path, ["restore", "latest", "--dry-run", .. elsewhere]);
        Assert.Contains("make the copy neutral: scheduled jobs inactive", plan.All);
        Assert.Contains("make the copy neutral: UPDATE res_users SET email", plan.All);
        Assert.DoesNotContain("make the copy neutral", LifeboatProgram.Run(_folder.Path, "restore", "latest", "--dry-run").All);

        Succeed(["restore", "latest", "--yes", .. elsewhere]);
        Assert.Equal(Neutral, StateOf(server, "copy"));
        Assert.Equal(AsItWas, StateOf(server, "odoo"));
        Succeed(["restore", "latest", "--yes", "--no-neutralize", .. elsewhere]);
        Assert.Equal(AsItWas, StateOf(server, "copy"));
        Succeed("restore", "latest", "--yes");
        Assert.Equal(AsItWas, StateOf(server, "odoo"));
        Succeed("restore", "latest", "--yes", "--neutralize");
        Assert.Equal(Neutral, StateOf(server, "odoo"));
    }

    [Fact]
    public async Task What_a_trigger_keeps_from_being_neutral_is_told_and_fails_the_list_for_Odoo()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        server.Sql("postgres", "CREATE ROLE app LOGIN");
        server.CreateDatabase("odoo", "OWNER app");
        server.Sql("odoo", "CREATE SCHEMA own AUTHORIZATION app; ALTER ROLE app IN DATABASE odoo SET search_path = own");
        server.Sql("odoo", Odoo, "app");
        server.Sql("odoo", "CREATE TABLE nothing (a int); CREATE FUNCTION own.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER keep BEFORE UPDATE ON res_users "
            + "FOR EACH ROW EXECUTE FUNCTION own.swallow(); CREATE FUNCTION own.reset() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.active := true; RETURN NEW; END'", "app");
        string[] elsewhere = ["restore", "latest", "--yes", "--target", $"main={server.SocketUrl("copy")}"];
        WriteAppFile($$"""main: {type: postgres, url: "{{server.SocketUrl("odoo")}}", neutralize: [odoo, "UPDATE res_users SET email = 'nobody'", "TRUNCATE nothing", "DELETE FROM website"]}""");
        Succeed("backup");

        ProgramRun told = LifeboatProgram.Run(_folder.Path, [.. elsewhere, "-v"]);

        Assert.True(told.ExitStatus == 3, told.All);
        Assert.Contains("make the copy neutral: UPDATE res_users SET email = 'nobody': no row was changed", told.All, StringComparison.Ordinal);
        Assert.Equal(1, told.All.Split("LB8030").Length - 1);
        Assert.Contains("make the copy neutral: DELETE FROM website: 1 row", told.All, StringComparison.Ordinal);
        foreach (string way in (string[])["own.swallow()", "own.reset()"])
        {
            server.Sql("odoo", $"DROP TRIGGER IF EXISTS keep ON own.ir_cron; CREATE TRIGGER keep BEFORE UPDATE ON own.ir_cron FOR EACH ROW EXECUTE FUNCTION {way}");
            Succeed("backup");
            ProgramRun failed = LifeboatProgram.Run(_folder.Path, elsewhere);
            Assert.True(failed.ExitStatus == 1, failed.All);
            Assert.Contains("LB8022 main: make the copy neutral: scheduled jobs inactive, but for the one that cleans up: it changed", failed.All, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Older_Odoo_tables_are_made_neutral_as_far_as_they_are_there()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        server.CreateDatabase("odoo");
        server.Sql("odoo", """
            CREATE TABLE ir_mail_server (id serial PRIMARY KEY, name text NOT NULL, smtp_host text NOT NULL, smtp_port int NOT NULL, smtp_encryption text NOT NULL, active bool);
            INSERT INTO ir_mail_server (name, smtp_host, smtp_port, smtp_encryption, active) VALUES ('real', 'mail.example', 25, 'none', true);
            CREATE TABLE payment_acquirer (id serial PRIMARY KEY, state text); INSERT INTO payment_acquirer (state) VALUES ('enabled'), ('test');
            CREATE TABLE ir_config_parameter (id serial PRIMARY KEY, key text UNIQUE NOT NULL, value text); INSERT INTO ir_config_parameter (key, value) VALUES ('database.is_neutralized', 'false');
            """);
        WriteAppFile($$"""main: {type: postgres, url: "{{server.SocketUrl("odoo")}}", neutralize: [odoo]}""");
        Succeed("backup");

        Succeed("restore", "latest", "--yes", "--target", $"main={server.SocketUrl("copy")}");

        Assert.Equal("realfalse,neutral copy: no mailtrue", server.Sql("copy", "SELECT string_agg(name || active, ',' ORDER BY id) FROM ir_mail_server").Trim());
        Assert.Equal("disabled,test", server.Sql("copy", "SELECT string_agg(state, ',' ORDER BY id) FROM payment_acquirer").Trim());
        Assert.Equal("true", server.Sql("copy", "SELECT value FROM ir_config_parameter").Trim());
    }

    [Theory]
    [InlineData("\"UPDATE nowhere SET a = 1\"", "relation \"nowhere\" does not exist")]
    [InlineData("\"SELECT 'never closed\"", "unterminated quoted string")]
    [InlineData("\"UPDATE item SET id = 2\", \"COMMIT WORK\"", "COMMIT WORK: ")]
    [InlineData("odoo", "this is no database of Odoo's")]
    public async Task A_statement_that_fails_fails_the_restore_of_all_sources_before_anything_is_switched(string statements, string reason)
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        server.CreateDatabase("shop");
        server.Sql("shop", "CREATE TABLE item AS SELECT 1 AS id");
        LifeboatProgram.Shell(_folder.Path, "sqlite3 state.db 'CREATE TABLE t (a); INSERT INTO t VALUES (1)'");
        WriteAppFile($$"""
            state: {type: sqlite, path: state.db, neutralize: ["UPDATE t SET a = 5"]}
              main: {type: postgres, url: "{{server.SocketUrl("shop")}}", neutralize: ["UPDATE item SET id = 3", {{statements}}]}
            """);
        Succeed("backup");
        LifeboatProgram.Shell(_folder.Path, "sqlite3 state.db 'UPDATE t SET a = 2'");
        server.Sql("shop", "UPDATE item SET id = 7");

        ProgramRun restore = LifeboatProgram.Run(_folder.Path, "restore", "latest", "--yes", "--neutralize");

        Assert.True(restore.ExitStatus == 1, restore.All);
        Assert.Contains("LB8022", restore.All);
        Assert.Contains(reason, restore.All);
        Assert.Equal("7", server.Sql("shop", "SELECT id FROM item").Trim());
        Assert.Equal("2", LifeboatProgram.Tool(_folder.Path, "sqlite3", "state.db", "SELECT a FROM t").Output.Trim());
        Assert.Equal(["postgres", "shop"], RestoreBench.Databases(server));
        Assert.Equal([_folder["state.db"]], Directory.GetFiles(_folder.Path, "state.db*"));
    }

    [Fact]
    public async Task A_MariaDB_database_is_made_neutral_or_the_restore_fails()
    {
        await using MariaDbServer server = await MariaDbServer.StartAsync();
        server.Sql("CREATE DATABASE shop; USE shop; CREATE TABLE mail (id INT PRIMARY KEY, active BOOL, host VARCHAR(50)); INSERT INTO mail VALUES (1, 1, 'a'), (2, 1, 'b')");
        string Source(string statements) => $$"""shop: {type: mysql, url: "{{server.Url("shop")}}", neutralize: [{{statements}}]}""";
        WriteAppFile(Source("\"UPDATE mail SET active = 0\", \"UPDATE mail SET host = 'it''s; \\\\n' WHERE id = 2\""));
        Succeed("backup");

        Succeed("restore", "latest", "--yes", "--target", $"shop={server.Url("copy")}");
        Assert.Equal("0\ta\n0\tit's; \\n", server.Sql("SELECT active, host FROM mail ORDER BY id", "copy").Trim());
        Assert.Equal("1\ta\n1\tb", server.Sql("SELECT active, host FROM mail ORDER BY id", "shop").Trim());

        WriteAppFile(Source("\"UPDATE mail SET active = 0\", \"UPDATE mail SET host = 'never closed\""));
        ProgramRun failing = LifeboatProgram.Run(_folder.Path, "restore", "latest", "--yes", "--neutralize");
        Assert.True(failing.ExitStatus == 1, failing.All);
        Assert.Contains("LB8022 shop: make the copy neutral: UPDATE mail SET host = 'never closed: You have an error in your SQL syntax", failing.All);
        Assert.Equal("1\ta\n1\tb", server.Sql("SELECT active, host FROM mail ORDER BY id", "shop").Trim());
        Assert.DoesNotContain("__staging", server.Sql("SHOW DATABASES"));
    }

    [Fact]
    public void SQLite_databases_and_settings_are_made_neutral_or_the_restore_fails()
    {
        LifeboatProgram.Shell(_folder.Path, """
            sqlite3 state.db "PRAGMA journal_mode=WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)" >/dev/null
            printf 'MAIL=on\n# MAIL=off\nURL="https://shop.example"\n' > .env; printf '[options]\nmail = on\n' > odoo.conf; printf '{"MAIL": true, "URL": "x", "n": 1}' > app.json
            """);
        string Sources(string values) => $$"""
            state: {type: sqlite, path: state.db, neutralize: ["UPDATE t SET a = 5; DELETE FROM t WHERE rowid = 2", "CREATE TABLE u (b)"]}
              settings: {type: settings, files: [.env, odoo.conf, app.json], neutralize: {{values}}}
            """;
        WriteAppFile(Sources("""{MAIL: "false", URL: "http://localhost/it's me"}"""));
        Succeed("backup");
        string[] elsewhere = ["--target", $"state={_folder["copy.db"]}", "--target", $"settings={_folder["copy"]}"];

        Succeed(["restore", "latest", "--yes", .. elsewhere]);

        Assert.Equal("5|0", LifeboatProgram.Tool(_folder.Path, "sqlite3", "copy.db", "SELECT group_concat(a), (SELECT count(*) FROM u) FROM t").Output.Trim());
        Assert.Equal("MAIL=false\n# MAIL=off\nURL=\"http://localhost/it's me\"\n", File.ReadAllText(_folder["copy/.env"]));
        Assert.Equal("[options]\nmail = false\n", File.ReadAllText(_folder["copy/odoo.conf"]));
        Assert.Equal("""{"MAIL": false, "URL": "http://localhost/it's me", "n": 1}""", File.ReadAllText(_folder["copy/app.json"]));
        Assert.Equal("MAIL=on\n# MAIL=off\nURL=\"https://shop.example\"\n", File.ReadAllText(_folder[".env"]));

        WriteAppFile(Sources("""{MAIL: "false", NOWHERE: "x"}"""));
        ProgramRun failing = LifeboatProgram.Run(_folder.Path, "restore", "latest", "--yes", "--neutralize");
        Assert.True(failing.ExitStatus == 1, failing.All);
        Assert.Contains("LB8022 settings: make the copy neutral: NOWHERE: no .env, INI or JSON file of the snapshot has a setting of this name", failing.All);
        Assert.Equal("1,2", LifeboatProgram.Tool(_folder.Path, "sqlite3", "state.db", "SELECT group_concat(a) FROM t").Output.Trim());
    }

    [Fact]
    public void Asking_for_a_neutral_copy_where_nothing_says_how_is_an_error()
    {
        File.WriteAllText(_folder[".env"], "A=1\n");
        WriteAppFile("settings: {type: settings, files: [.env]}");
        Succeed("backup");

        ProgramRun restore = LifeboatProgram.Run(_folder.Path, "restore", "latest", "--yes", "--neutralize");

        Assert.Equal(2, restore.ExitStatus);
        Assert.Contains("no source that is restored has `neutralize:`", restore.All);
        Assert.Equal(2, LifeboatProgram.Run(_folder.Path, "restore", "latest", "--yes", "--neutralize", "--no-neutralize").ExitStatus);
    }

    private static string StateOf(PostgresServer server, string database) => server.Sql(database, State).Trim().Replace('\n', '|');

    private void Succeed(params string[] arguments)
    {
        ProgramRun run = LifeboatProgram.Run(_folder.Path, arguments);
        Assert.True(run.ExitStatus == 0, run.All);
    }

    private void WriteAppFile(string sources)
    {
        File.WriteAllText(_folder["passphrase"], "quite-a-long-passphrase-7x2k9\n");
        LifeboatProgram.Shell(_folder.Path, "chmod 600 passphrase");
        File.WriteAllText(_folder["lifeboat.yaml"], $$"""
            app: shop
            sources:
              {{sources}}
            stores:
              local: {path: backups}
            encryption: {password: "file:passphrase"}
            """);
    }
}
