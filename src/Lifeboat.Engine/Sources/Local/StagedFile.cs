using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>One file that is staged beside its target.</summary>
internal static class StagedFile
{
    private const int BufferBytes = 256 * 1024;

    /// <summary>Writes a new file that is private until it is whole, flushes it, and then gives it its traits.</summary>
    public static void Write(Folder parent, byte[] name, Stream content, FileTraits traits, ByteMeter meter, CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        using SafeFileHandle file = parent.CreateFile(name);
        try
        {
            long done = 0;
            while (content.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) is > 0 and int count)
            {
                cancellation.ThrowIfCancellationRequested();
                RandomAccess.Write(file, buffer.AsSpan(0, count), done);
                done += count;
                meter.Add(count);
            }

            RandomAccess.FlushToDisk(file);
        }
        catch (IOException e)
        {
            throw new FileFailure(FileFailure.TroubleOf(e), $"cannot write {parent.Describe(name)}: {e.Message}", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        // On the open file: somebody who may write in the folder may have put another one under its name.
        parent.ApplyTo(file, name, TraitRules.For(parent.StatusOf(file, name)).Effective(traits));
    }

    /// <summary>Makes an empty file for something else to write into by its path, for the eyes of its owner alone.</summary>
    public static FileStatus Create(Folder parent, byte[] name)
    {
        using SafeFileHandle file = parent.CreateFile(name);
        return parent.StatusOf(file, name);
    }

    /// <summary>Gives a file that was written by its path its traits, if it is still the one that was made.</summary>
    public static void Finish(Folder parent, byte[] name, FileStatus created, FileTraits traits)
    {
        FileTraits effective = TraitRules.For(created).Effective(traits);
        if (!parent.HasTraits)
        {
            parent.Apply(name, FileKind.Regular, effective);
            return;
        }

        using SafeFileHandle file = parent.OpenFile(name);
        FileStatus now = parent.StatusOf(file, name);
        if ((now.Inode, now.Device) != (created.Inode, created.Device))
            throw new FileFailure(FileTrouble.WrongKind, $"{parent.Describe(name)} was exchanged for something else while it was written");
        parent.ApplyTo(file, name, effective);
    }

    /// <summary>The SHA-256 of what was staged, lower-case hex.</summary>
    public static string Hash(Folder parent, byte[] name, ByteMeter meter, CancellationToken cancellation)
    {
        using SafeFileHandle file = parent.OpenFile(name);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            long offset = 0;
            while (RandomAccess.Read(file, buffer, offset) is > 0 and int count)
            {
                cancellation.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, count);
                offset += count;
                meter.Add(count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Compares mode, owner and time with what was captured.</summary>
    public static IEnumerable<VerifyCheck> Compare(Folder parent, byte[] name, string subject, CapturedTraits captured)
    {
        if (parent.Find(name) is not { Kind: FileKind.Regular } found)
        {
            yield return new VerifyCheck(subject, "staged", "missing");
            yield break;
        }

        FileTraits wanted = TraitRules.For(found).Effective(captured.ToTraits());
        if (parent.HasTraits && wanted.Mode is { } mode)
            yield return new VerifyCheck($"{subject}: mode", Octal(mode), Octal(found.Mode ?? 0));
        if (parent.HasTraits && wanted.Owner is { } owner)
            yield return new VerifyCheck($"{subject}: owner", owner.ToString(), found.Owner?.ToString() ?? "none");
        if (wanted.Modified is { } time)
            yield return new VerifyCheck($"{subject}: time", Stored(parent, time), Stored(parent, found.Modified));
    }

    private static string Octal(int mode) => "0" + Convert.ToString(mode, 8);

    private static string Stored(Folder parent, FileTime time) =>
        (parent.HasTraits ? time : time with { Nanoseconds = time.Nanoseconds / 100 * 100 }).ToString();
}
