using System.Text.Json;
using System.Text.Json.Serialization;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Catalogue;

/// <summary>What <c>metadata.json</c> says of a MySQL source beside its tables (<c>details</c>). Field names are permanent once released.</summary>
public sealed record MySqlDetails
{
    /// <summary>As <c>VERSION()</c> has it.</summary>
    public required string ServerVersion { get; init; }

    /// <summary><c>mariadb</c> or <c>mysql</c>.</summary>
    public required string Family { get; init; }

    public required int LowerCaseTableNames { get; init; }

    public required string Database { get; init; }

    /// <summary>What stands behind the name in CREATE DATABASE: character set, collation, comment.</summary>
    public required string DatabaseOptions { get; init; }

    /// <summary>The transactions that the cut holds; null where the server keeps no such count or none is in use.</summary>
    public string? Gtid { get; init; }

    /// <summary>File and offset in the server's binary log at the cut; null where it has none or they may not be asked for.</summary>
    public string? BinlogPosition { get; init; }

    /// <summary>How long writes were held up while the cut was opened; null where they were not.</summary>
    public double? LockMilliseconds { get; init; }

    /// <summary>The tables whose rows were captured, in the order of <c>SourceMetadata.Tables</c> and of <c>schema.sql</c>.</summary>
    public required IReadOnlyList<MySqlTable> Tables { get; init; }

    /// <summary>Sequences, in the order of <c>sequences.sql</c>.</summary>
    public required IReadOnlyList<MySqlSequence> Sequences { get; init; }

    /// <summary>Routines, views, triggers and events, in the order of <c>objects.sql</c>.</summary>
    public required IReadOnlyList<MySqlObject> Objects { get; init; }

    /// <summary>In the order of <c>users.sql</c>; null where they could not be read.</summary>
    public IReadOnlyList<MySqlAccount>? Accounts { get; init; }

    /// <summary>Collations that tables, columns and the database use.</summary>
    public required IReadOnlyList<string> Collations { get; init; }

    /// <summary>The longest row of a data file, in bytes.</summary>
    public required long LongestRow { get; init; }

    /// <summary>SHA-256 of the definitions of tables, views, routines, triggers and events; null in snapshots of the first version.</summary>
    public string? DefinitionsDigest { get; init; }

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, MySqlDetailsJson.Default.MySqlDetails);

    /// <exception cref="JsonException">It is not of this form.</exception>
    public static MySqlDetails From(JsonElement json)
    {
        MySqlDetails? details = json.ValueKind == JsonValueKind.Object ? json.Deserialize(MySqlDetailsJson.Default.MySqlDetails) : null;
        bool whole = details is { Family: not null, ServerVersion: not null, Database: not null, DatabaseOptions: not null, Tables: not null, Sequences: not null, Objects: not null, Collations: not null }
            && !details.Tables.Contains(null!) && !details.Sequences.Contains(null!) && !details.Objects.Contains(null!);
        return whole ? details! : throw new JsonException("a MySQL source without its details");
    }
}

/// <param name="Columns">Those that the data files hold, in their order: all but generated ones.</param>
/// <param name="Versioned">Whether the rows include history (MariaDB's system-versioned tables).</param>
public sealed record MySqlTable(string Name, string Engine, IReadOnlyList<MySqlColumn> Columns, bool Versioned)
{
    /// <summary>True where the history is told by ids of transactions, which cannot be written; else null.</summary>
    public bool? TransactionHistory { get; init; }
}

public sealed record MySqlColumn(string Name, ValueForm Form);

/// <param name="Next">The next value that was not handed out or cached.</param>
public sealed record MySqlSequence(string Name, string Next, string Cycles);

/// <param name="Kind"><c>library</c>, <c>function</c>, <c>procedure</c>, <c>package</c>, <c>package body</c>, <c>view</c>, <c>trigger</c>, <c>event</c>.</param>
/// <param name="Statements">How many statements of <c>objects.sql</c> make it.</param>
public sealed record MySqlObject(string Kind, string Name, int Statements);

/// <param name="Host">Empty for a role of MariaDB's.</param>
/// <param name="Statements">How many statements of <c>users.sql</c> are its own; the first creates it.</param>
/// <param name="Plugins">Authentication plugins that it needs.</param>
public sealed record MySqlAccount(string User, string Host, bool Role, int Statements, IReadOnlyList<string> Plugins)
{
    /// <summary>How many statements of <c>grants.sql</c> are its own: on tables and routines of this database.</summary>
    public int LateGrants { get; init; }

    /// <summary>How many statements of <c>grants-elsewhere.sql</c> are its own: on tables and routines of other databases.</summary>
    public int GrantsElsewhere { get; init; }
}

/// <summary>How details are written and read: as the rest of <c>metadata.json</c>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(MySqlDetails))]
internal sealed partial class MySqlDetailsJson : JsonSerializerContext;
