using System.Globalization;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Capture;

/// <summary>What tells a table (or view) from another one that has its name later, and from itself before it was altered.</summary>
/// <param name="Made">Kind, engine, and when it was made, in whole seconds.</param>
/// <param name="Numbers">
/// InnoDB's numbers of it and of its partitions, which go with the rows, whatever name these get: an exchange of names or of a partition shows, even among tables that
/// were made in one second. Null where they cannot be had.
/// </param>
internal sealed record TableIdentity(string Made, string? Numbers)
{
    /// <summary>Whether it is the same, as far as can be told.</summary>
    public bool IsThatOf(TableIdentity other) => Made == other.Made && (Numbers is null || other.Numbers is null || Numbers == other.Numbers);
}

/// <summary>Reads the identities of a database's tables.</summary>
/// <param name="open">Opens a session that may see InnoDB's numbers (PROCESS); null where the account may not.</param>
internal sealed class TableIdentities(string schema, Func<CancellationToken, Task<MySqlSession>>? open) : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private MySqlSession? _session;

    /// <param name="session">In no transaction.</param>
    /// <param name="names">Some tables; null for all.</param>
    public async Task<IReadOnlyDictionary<string, TableIdentity>> ReadAsync(
        MySqlSession session, IReadOnlyCollection<string>? names, CancellationToken cancellation)
    {
        string only = names is null ? "" : $" AND TABLE_NAME IN ({string.Join(", ", names.Select(SqlText.Literal))})";
        IReadOnlyList<string?[]> tables = await session.SelectAsync(
            ["TABLE_NAME", "CONCAT_WS(' ', TABLE_TYPE, ENGINE, CREATE_TIME)"],
            $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {SqlText.Literal(schema)}{only}", cancellation);
        ILookup<string, string>? numbers = await NumbersAsync(cancellation);
        return tables.ToDictionary(
            static row => row[0]!,
            row => new TableIdentity(row[1] ?? "", numbers is not null && FileName(row[0]!) is { } file ? string.Join(' ', numbers[file]) : null),
            StringComparer.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        if (_session is not null)
            await _session.DisposeAsync();
        _turn.Dispose();
    }

    /// <summary>
    /// By tables' names as files: one of a table, or one of each partition (<c>t#P#p0</c>, <c>t#p#p0</c>). MySQL does not tell them while a table is being filled by
    /// CREATE TABLE … SELECT; that is not waited for.
    /// </summary>
    private async Task<ILookup<string, string>?> NumbersAsync(CancellationToken cancellation)
    {
        if (open is null || FileName(schema) is not { } folder)
            return null;
        await _turn.WaitAsync(cancellation);
        try
        {
            if (_session is null)
            {
                _session = await open(cancellation);
                await _session.ExecuteAsync("SET lock_wait_timeout = 1, innodb_lock_wait_timeout = 1", cancellation);
            }

            string view = _session.Server.Family == "mariadb" ? "INNODB_SYS_TABLES" : "INNODB_TABLES";
            IReadOnlyList<string?[]> rows = await _session.SelectAsync(
                ["NAME", "TABLE_ID"], $"FROM information_schema.{view} WHERE SUBSTRING_INDEX(NAME, '/', 1) = {SqlText.Literal(folder)} ORDER BY NAME", cancellation);
            return rows.Select(static row => (Name: row[0]![(row[0]!.IndexOf('/', StringComparison.Ordinal) + 1)..], Number: row[1]!))
                .ToLookup(
                    static row => row.Name.Split('#')[0], static row => $"{row.Name}={row.Number}",
                    _session.Server.LowerCaseTableNames == 0 ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);
        }
        catch (LifeboatException e) when (MySqlError.Of(e)?.Number == MySqlError.LockWaitTimeout)
        {
            await _session!.DisposeAsync();
            _session = null;
            return null;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// A name as the servers call its file (MySQL manual, 11.2.4): what is no letter, digit or underscore is <c>@</c> and its code. Other letters than ASCII's
    /// have codes of their own, which this does not know: null then.
    /// </summary>
    internal static string? FileName(string name)
    {
        StringBuilder file = new();
        foreach (char one in name)
        {
            if (!char.IsAscii(one))
                return null;
            if (char.IsAsciiLetterOrDigit(one) || one == '_')
                file.Append(one);
            else
                file.Append(CultureInfo.InvariantCulture, $"@{(int)one:x4}");
        }

        return file.ToString();
    }
}
