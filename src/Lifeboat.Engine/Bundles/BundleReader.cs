using System.Collections.Concurrent;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Bundles;

/// <summary>
/// Reads a bundle (docs/format.md), believing nothing: whatever its bytes are, it gives out what was written or throws a
/// <see cref="LifeboatException"/>. Any number of files may be open at once, each read by one thread at a time.
/// </summary>
public sealed class BundleReader : ISnapshotReader
{
    /// <summary>How many entries the password is tried on: one verifier of 2 bytes lets a wrong password pass once in 65,536
    /// times.</summary>
    private const int PasswordTrials = 3;

    /// <summary>Stored bytes from which on reading an entry takes longer than deriving its keys.</summary>
    private const long LargeBytes = 1 << 20;

    /// <summary>Keys that are kept so that they need not be derived again: about 13 MB of them.</summary>
    private const int KeptKeys = 1 << 16;

    private readonly ConcurrentDictionary<BundleEntry, EntryKeys> _keys = new(ReferenceEqualityComparer.Instance);
    private readonly BundleFile _file;
    private readonly Secret? _password;
    private readonly List<BundleEntry> _all;
    private readonly Dictionary<string, BundleEntry> _files;

    private BundleReader(BundleFile file, Secret? password, List<BundleEntry> all)
    {
        _file = file;
        _password = password;
        _all = all;
        // The cover is for people who open a bundle with another program, and not part of the snapshot.
        _files = all.Where(static entry => entry.Path != Zip.CoverName).ToDictionary(static entry => entry.Path, StringComparer.Ordinal);
        Entries = _files.ToDictionary(static pair => pair.Key, static pair => pair.Value.Listed, StringComparer.Ordinal);
    }

    public IReadOnlyDictionary<string, SnapshotEntry> Entries { get; }

    /// <summary>Whether all entries are encrypted; if not, none is.</summary>
    public bool IsEncrypted => _all.Count > 0 && _all[0].IsEncrypted;

    /// <inheritdoc/>
    public bool IsAuthentic => IsEncrypted;

    /// <summary>Reads the directory and tries the password.</summary>
    /// <param name="password">Not looked at where the bundle is not encrypted.</param>
    /// <exception cref="LifeboatException">No such file, not a bundle, damage, or a wrong or missing password.</exception>
    public static Task<BundleReader> OpenAsync(string path, Secret? password, CancellationToken cancellation) =>
        Task.Run(() => Open(path, password, cancellation), cancellation);

    /// <summary>
    /// Whether a bundle's first entry is encrypted, without a password and without reading more: enough for lists, since one of which only some entries
    /// are is refused when it is opened. Null where that cannot be seen.
    /// </summary>
    public static bool? LooksEncrypted(string path)
    {
        try
        {
            using BundleFile file = BundleFile.Open(path);
            return ZipDirectory.FirstIsEncrypted(file);
        }
        catch (LifeboatException)
        {
            return null; // whoever opens it is told why
        }
    }

    /// <inheritdoc/>
    public Stream Open(string path) => _files.TryGetValue(path, out BundleEntry? entry)
        ? OpenEntry(entry)
        : throw new LifeboatException(
            ErrorCodes.SnapshotIncomplete, "the bundle does not have this file", "use another snapshot; this one was altered or damaged",
                path);

    /// <summary>
    /// Reads every stored byte, on all cores. In an encrypted bundle it authenticates them without decompressing, at about the disk's
    /// speed; in one without encryption it decompresses them and compares their CRCs.
    /// </summary>
    /// <exception cref="LifeboatException">Some entry is damaged, or was not written with this password.</exception>
    public Task AuthenticateAsync(CancellationToken cancellation) => Parallel.ForEachAsync(
        ByTurns(),
        cancellation,
        (entries, stop) =>
        {
            DeriveKeys(entries);
            foreach (BundleEntry entry in entries)
                Authenticate(entry, stop);
            return ValueTask.CompletedTask;
        });

    /// <summary>Reads what is in the bundle and not part of the snapshot: its cover.</summary>
    /// <exception cref="LifeboatException">It is damaged, or was not written with this password.</exception>
    public void AuthenticateCover(CancellationToken cancellation)
    {
        foreach (BundleEntry entry in _all.Where(static entry => entry.Path == Zip.CoverName))
            Authenticate(entry, cancellation);
    }

    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }

    private static BundleReader Open(string path, Secret? password, CancellationToken cancellation)
    {
        BundleFile file = BundleFile.Open(path);
        try
        {
            BundleReader reader = new(file, password, ZipDirectory.Read(file, cancellation));
            if (reader.IsEncrypted)
                reader.TryPassword(path);
            return reader;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void TryPassword(string path)
    {
        if (_password is null)
            throw BundleProblems.PasswordNeeded(path);
        if (!_all.Take(PasswordTrials).Any(entry => Verified(entry, LocalHeader.Check(_file, entry)) is not null))
            throw BundleProblems.WrongPassword(path);
    }

    /// <summary>The largest first, alone; of small ones as many together as have their keys derived in the time of one.</summary>
    private IEnumerable<BundleEntry[]> ByTurns()
    {
        ILookup<bool, BundleEntry> large = _all.OrderByDescending(static entry => entry.Listed.StoredBytes).ToLookup(static entry => entry.Listed.StoredBytes > LargeBytes);
        return [.. large[true].Select(static entry => new[] { entry }), .. large[false].Chunk(Pbkdf2Sha1.SaltsAtOnce)];
    }

    /// <summary>Derives and keeps the keys of encrypted entries; whether they are right is asked when an entry is opened.</summary>
    private void DeriveKeys(BundleEntry[] entries)
    {
        if (!IsEncrypted)
            return;
        byte[] salts = new byte[entries.Length * EntryKeys.SaltBytes];
        for (int i = 0; i < entries.Length; i++)
            _file.ReadExactly(LocalHeader.Check(_file, entries[i]), salts.AsSpan(i * EntryKeys.SaltBytes, EntryKeys.SaltBytes));
        EntryKeys[] keys = EntryKeys.Derive(_password!, salts);
        for (int i = 0; i < entries.Length && _keys.Count < KeptKeys; i++)
            _keys[entries[i]] = keys[i];
    }

    private void Authenticate(BundleEntry entry, CancellationToken cancellation)
    {
        if (entry.IsEncrypted)
        {
            (long data, EntryKeys? keys) = Prepare(entry);
            using StoredStream stored = new(_file, entry, keys, data);
            stored.Authenticate(cancellation);
            return;
        }

        using Stream content = OpenEntry(entry);
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(128 * 1024);
        while (content.Read(buffer) > 0)
            cancellation.ThrowIfCancellationRequested();
        System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
    }

    private EntryReadStream OpenEntry(BundleEntry entry)
    {
        (long data, EntryKeys? keys) = Prepare(entry);
        return new EntryReadStream(_file, entry, keys, data);
    }

    private (long Data, EntryKeys? Keys) Prepare(BundleEntry entry)
    {
        long data = LocalHeader.Check(_file, entry);

        // The password opens other entries, or nobody would have got here: it is this one's salt that was altered.
        return !entry.IsEncrypted ? (data, null)
            : (data, Verified(entry, data)
                ?? throw BundleProblems.Damaged("an entry was not written with the bundle's password", entry.Path));
    }

    /// <summary>The entry's keys, if the password is right for it.</summary>
    private EntryKeys? Verified(BundleEntry entry, long data)
    {
        byte[] start = new byte[EntryKeys.SaltBytes + EntryKeys.VerifierBytes];
        _file.ReadExactly(data, start);
        ReadOnlySpan<byte> salt = start.AsSpan(0, EntryKeys.SaltBytes);
        EntryKeys keys = _keys.TryGetValue(entry, out EntryKeys? known) && salt.SequenceEqual(known.Salt) ? known : EntryKeys.Derive(_password!, salt)[0];
        return keys.Verifier.SequenceEqual(start.AsSpan(EntryKeys.SaltBytes)) ? keys : null;
    }
}
