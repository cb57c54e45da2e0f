using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Capture;

/// <summary>The chapter of <c>restore_instructions.md</c> on one database.</summary>
internal static class MySqlInstructions
{
    public static string Write(MySqlDetails details, string folder, MySqlServer server)
    {
        string client = server.Family == "mariadb" ? "mariadb" : "mysql";
        string run = $"{client} --default-character-set=utf8mb4";
        string accounts = details.Accounts is null
            ? "`users.sql` and `grants.sql` are empty: the backup's account could not read accounts. Create the application's by hand."
            : "`users.sql` creates accounts and roles that are missing, with their old passwords, and grants what they had; `grants.sql` gives their rights on single tables, "
                + "columns and routines. An account that exists keeps its password.";
        string elsewhere = details.Accounts?.Any(static account => account.GrantsElsewhere > 0) == true
            ? "\n- `grants-elsewhere.sql` has rights of these accounts on tables and routines of other databases: run it like `grants.sql` when all of those are in place."
            : "";
        return $"""
            This is the database {SqlText.Identifier(details.Database)} of a {server.Name} server. You need the client program `{client}` and a server of that kind, of this
            version or later. Put the account to restore with (one with all rights) into `~/.my.cnf`, then run in this folder:

            ```sh
            (set -e
            cd {ShellQuote.Of(folder)}
            {run} < users.sql
            {run} < database.sql
            allowed=$({client} --skip-column-names --batch -e 'SELECT @@GLOBAL.local_infile')
            [ "$allowed" = 1 ] || {client} -e 'SET GLOBAL local_infile = 1'
            cat sequences.sql schema.sql load.sql objects.sql |
              {run} --binary-mode --comments --max-allowed-packet=1G --local-infile=1 {ShellQuote.Of(details.Database)}
            [ "$allowed" = 1 ] || {client} -e 'SET GLOBAL local_infile = 0'
            {run} < grants.sql)
            ```

            - {accounts}{elsewhere}
            - `database.sql` creates the database under its own name; to restore beside an existing one, create another by hand, name it behind `--local-infile=1`, and
              change the name in the grants.
            - The files behind `cat` make sequences and tables, load every table's rows (`data/`, tab-separated as LOAD DATA reads them), then make routines, views,
              triggers and events. That stops at the first error; drop the database and start again after mending it. The two lines around it allow LOAD DATA LOCAL for the time.

            `metadata.json` has each table's number of rows.

            """;
    }
}
