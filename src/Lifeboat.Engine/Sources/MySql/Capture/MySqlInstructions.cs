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
        string accounts = details.Accounts is null
            ? "`users.sql` is empty: the backup's account could not read accounts. Create the application's by hand."
            : "`users.sql` creates accounts and roles that are missing, with their old passwords, and grants what they had. An account that exists keeps its password.";
        return $"""
            This is the database {SqlText.Identifier(details.Database)} of a {server.Name} server. You need the client program `{client}` and a server of that kind, of this
            version or later. Put the account to restore with (one with all rights) into `~/.my.cnf`, then run in this folder:

            ```sh
            cd {ShellQuote.Of(folder)}
            {client} --default-character-set=utf8mb4 < users.sql
            {client} --default-character-set=utf8mb4 < database.sql
            {client} --default-character-set=utf8mb4 --comments --max-allowed-packet=1G --local-infile=1 {ShellQuote.Of(details.Database)} < restore.sql
            ```

            - {accounts}
            - `database.sql` creates the database under its own name; to restore beside an existing one, create another by hand and name it in the last command.
            - `restore.sql` makes sequences and tables, loads every table's rows (`data/`, tab-separated as LOAD DATA reads them), then makes routines, views,
              triggers and events. It stops at the first error; drop the database and start again after mending it.
            - Where the server refuses LOAD DATA LOCAL, an administrator allows it for the time: `SET GLOBAL local_infile = 1`.
            - Grants on single tables and routines can only be given when these exist: if `users.sql` stopped at one, run it again at the end.

            `metadata.json` has each table's number of rows.

            """;
    }
}
