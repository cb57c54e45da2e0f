namespace Lifeboat.Samples;

/// <summary>A SQLite database with full-text search, in WAL mode.</summary>
internal sealed class LocalState(string path, ChatSize size, int seed)
{
    public void Create()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Client.Feed("sqlite3", ["-batch", "-bail", path], script =>
        {
            script.Write("""
                PRAGMA journal_mode = WAL;
                BEGIN;
                CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
                INSERT INTO account VALUES (1, 500000), (2, 500000);
                CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL, score REAL, raw BLOB);
                CREATE VIRTUAL TABLE search USING fts5(body);

                """);
            SampleText chance = new(seed);
            for (int id = 1; id <= size.Notes; id++)
            {
                string body = chance.Words(80).Replace("'", "''", StringComparison.Ordinal);
                script.Write(FormattableString.Invariant(
                    $"INSERT INTO note VALUES ({id}, '{body}', {chance.Fraction():R}, x'{Convert.ToHexString(chance.Bytes(16))}');\n"));
            }

            script.Write("INSERT INTO search SELECT body FROM note;\nCOMMIT;\n");
        });
    }
}
