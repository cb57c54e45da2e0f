using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Extensions;

/// <summary>Extensions that change rows by themselves: those with <see cref="KnownExtension.WhenLiveSql"/>.</summary>
internal static class ActingExtensions
{
    /// <summary>Whether a database of the server may have one.</summary>
    public static async Task<bool> AreOfferedAsync(PsqlSession session, CancellationToken cancellation) =>
        (await FindAsync(session, "SELECT name FROM pg_catalog.pg_available_extensions", cancellation)).Count > 0;

    /// <summary>What lets those of the session's database begin, a statement each.</summary>
    public static async Task<IReadOnlyList<string>> WhenLiveSqlAsync(PsqlSession session, CancellationToken cancellation) =>
        [.. (await FindAsync(session, "SELECT extname FROM pg_catalog.pg_extension", cancellation)).Select(static known => known.WhenLiveSql!)];

    private static async Task<IReadOnlyList<KnownExtension>> FindAsync(PsqlSession session, string sql, CancellationToken cancellation) =>
        [.. (await session.QueryAsync(sql, cancellation)).Select(static row => KnownExtensions.Find(row[0]!)).OfType<KnownExtension>().Where(static known => known.WhenLiveSql is not null)];
}
