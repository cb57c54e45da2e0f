using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Catalogue;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>A server on which something else happens while a backup is made.</summary>
internal sealed class BusyServer(MariaDbServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Fill(string database) => server.Sql($"""
        DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database} CHARACTER SET utf8mb4; USE {database};
        CREATE TABLE other (id INT PRIMARY KEY, label VARCHAR(50)); DO SLEEP(1.1);
        CREATE TABLE item (id INT PRIMARY KEY, label VARCHAR(50), KEY by_label (label));
        INSERT INTO item WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i, CONCAT('item ', i) FROM n;
        CREATE PROCEDURE total() SELECT COUNT(*) FROM item;
        """);

    /// <summary>Runs statements that do not end by themselves, in a session of their own.</summary>
    public async Task<(string Id, Task Running)> BlockAsync(string database, string sql)
    {
        Task running = Task.Run(() => Assert.ThrowsAny<InvalidOperationException>(() => server.Sql(sql, database)), Cancellation);
        IReadOnlyList<string> found;
        while ((found = server.Sessions(db => db == database, static info => info.Contains("SLEEP(600)", StringComparison.Ordinal))).Count == 0)
        {
            Assert.False(running.IsCompleted);
            await Task.Delay(20, Cancellation);
        }

        return (Assert.Single(found), running);
    }

    /// <summary>Does something while transactions of three rows are committed in one database, one after another.</summary>
    /// <param name="prepared">Is called before the first of them.</param>
    public async Task WriteBesideAsync(Action prepared, Func<Task> body)
    {
        server.Sql("DROP DATABASE IF EXISTS bank; CREATE DATABASE bank; USE bank; CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, amount INT, filler TEXT); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a");
        server.Sql("FLUSH BINARY LOGS");
        prepared();
        using CancellationTokenSource enough = new();
        Task writing = Task.Run(
            () =>
            {
                // Many in one session: transactions follow each other at once.
                string block = string.Concat(Enumerable.Range(1, 20).Select(static i =>
                    $"BEGIN; INSERT INTO a (amount, filler) VALUES ({i}, REPEAT('x', 2000)); INSERT INTO b (amount, filler) VALUES ({2 * i}, ''); INSERT INTO c (amount) VALUES (-{3 * i}); COMMIT;"));
                while (!enough.IsCancellationRequested)
                    server.Sql(block, "bank");
            },
            Cancellation);
        try
        {
            while (int.Parse(server.Sql("SELECT COUNT(*) FROM a", "bank"), CultureInfo.InvariantCulture) < 20)
                await Task.Delay(20, Cancellation);
            await body();
        }
        finally
        {
            await enough.CancelAsync();
            await writing;
        }
    }

    /// <summary>What was captured of the bank, whose books balance: rows of each table.</summary>
    public static async Task<(int Rows, MySqlDetails Details)> CaptureBankAsync(MySqlBench bench, MySqlSettings settings)
    {
        VerifiedSnapshot snapshot = await bench.CaptureAsync(settings);
        string[] rows = [.. new[] { "a", "b", "c" }.SelectMany(t => File.ReadAllLines(Path.Combine(bench.Folder, $"databases/shop/data/{t}.tsv")))];
        Assert.NotEmpty(rows);
        Assert.Equal(0, rows.Sum(static row => int.Parse(row.Split('\t')[1], CultureInfo.InvariantCulture)));
        long each = Assert.Single(snapshot.Metadata.Sources[0].Tables!.Select(static t => t.Rows).Distinct());
        return ((int)each, MySqlDetails.From(snapshot.Metadata.Sources[0].Details!.Value));
    }

    /// <summary>How many transactions the last binary log has up to a position; it must be flushed, for an event that is being written has an end of its own.</summary>
    public int Written(string position)
    {
        string[] at = position.Split(':');
        return server.Sql($"SHOW BINLOG EVENTS IN '{at[0]}'").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split('\t'))
            .Count(row => row[2] == "Xid" && long.Parse(row[4], CultureInfo.InvariantCulture) <= long.Parse(at[1], CultureInfo.InvariantCulture));
    }
}
